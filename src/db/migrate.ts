import { spawn } from 'node:child_process';
import { join } from 'node:path';

const program = join(import.meta.dirname, '../../prisma/migrate.ts');

/**
 * Applies the missing migrations in a process of its own, so that the schema engine's memory goes with it.
 * @throws Error with what the engine said.
 */
export async function migrate(databaseUrl: string): Promise<void> {
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const code = await new Promise((resolve) => child.on('exit', resolve));
  if (code === 0) return;
  if (errors.includes("Can't reach database server"))
    throw new Error('The database that DATABASE_URL names does not answer. Start it, or correct the address.');
  throw new Error(`The database could not be migrated:\n${errors}`);
}
