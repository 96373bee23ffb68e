import { answer, firstOf } from '../api.ts';
import { isTerminal, note, printJson } from '../screen.ts';
import { connect, type Flags } from '../session.ts';
import { table } from '../table.ts';
import { when } from '../words.ts';

export async function audit({ limit, ...flags }: Flags & { limit: number }): Promise<void> {
  const { api, named } = await connect(flags);
  const list = await firstOf(limit, (page) =>
    answer(api.GET('/v1/audit', { params: { query: { ...named, ...page } } })),
  );
  if (flags.json === true) return printJson(list);
  if (list.items.length === 0) return note('Nothing was changed yet.');
  table(
    ['when', 'who', 'did', 'to', 'from', 'is now'],
    list.items.map(({ at, actor, action, target, before, after }) => [
      when(at),
      actor,
      action,
      target,
      brief(before),
      brief(after),
    ]),
  );
  if (list.nextCursor !== null) note(`the newest ${limit}; --limit shows more`);
}

function brief(value: unknown): string {
  if (value === null || value === undefined) return isTerminal ? '–' : '';
  return JSON.stringify(value);
}
