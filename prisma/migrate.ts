import { applyMigrations, schemaScript } from './engine.ts';

/**
 * `node prisma/migrate.ts` applies what is missing to DATABASE_URL; `node prisma/migrate.ts script` prints the SQL of the
 * whole schema.prisma, to compare with and to copy from when writing the next migration by hand.
 */
async function main(verb: string | undefined): Promise<string> {
  const url = process.env['DATABASE_URL'];
  if (url === undefined) throw new Error('DATABASE_URL is not set.');
  if (verb === 'script') return schemaScript(url);
  const applied = await applyMigrations(url);
  return applied.length === 0 ? 'The database is up to date.\n' : `Applied ${applied.join(', ')}.\n`;
}

process.stdout.write(await main(process.argv[2]));
// The engine's pool would keep the process for its idle time, and has no way to be closed.
process.exit(0);
