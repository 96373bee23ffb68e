import type { Sql } from './database.ts';

/** A fact about this installation that is decided once: the first value proposed stays. Answers the one that holds. */
export async function settle(sql: Sql, name: string, proposed: string): Promise<string> {
  await sql.setting.createMany({ data: { name, value: proposed }, skipDuplicates: true });
  return textOf(await sql.setting.findUniqueOrThrow({ where: { name } }));
}

/** All facts whose name begins so, by the rest of their names. */
export async function listSettings(sql: Sql, prefix: string): Promise<Map<string, string>> {
  const rows = await sql.setting.findMany({ where: { name: { startsWith: prefix } } });
  return new Map(rows.map((row) => [row.name.slice(prefix.length), textOf(row)]));
}

function textOf({ name, value }: { name: string; value: unknown }): string {
  if (typeof value !== 'string') throw new TypeError(`the setting ${name} is no text`);
  return value;
}
