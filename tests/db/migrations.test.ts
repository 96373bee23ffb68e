import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { expect } from 'vitest';
import { migrationNames, migrationsDir } from '../../prisma/engine.ts';
import { migrate } from '../../src/db/migrate.ts';
import { withDatabase } from '../support/global-setup.ts';
import { test } from '../support/database.ts';

test('the ledger refuses to be changed', async ({ db }) => {
  await db.pool
    .query(`INSERT INTO ledger_entry (id, at, transaction_id, tenant_id, account, kind, amount_micro_usd, balance_micro_usd, note)
    VALUES ('ent_1', now(), 'x', 'tnt_1', 'reserved', 'reserve', 0, 0, '')`);
  await expect(db.pool.query('UPDATE ledger_entry SET note = $1', ['changed'])).rejects.toThrow('append-only');
  await expect(db.pool.query('DELETE FROM ledger_entry')).rejects.toThrow('append-only');
});

test('use of compute refuses to be changed', async ({ db }) => {
  await db.pool
    .query(`INSERT INTO usage_entry (tenant_id, job_id, attempt, instance_id, provider, region, kind, "from", "to", accelerator_seconds, petaflop_seconds, micro_usd)
    VALUES ('tnt_1', 'job_1', 1, 'ins_1', 'local', 'local', 'cpu', now(), now(), 1, 1, 1)`);
  await expect(db.pool.query('UPDATE usage_entry SET micro_usd = 0')).rejects.toThrow('append-only');
  await expect(db.pool.query('DELETE FROM usage_entry')).rejects.toThrow('append-only');
});

test('each migration is recorded as Prisma records it, and applying again changes nothing', async ({ db }) => {
  const recorded = async () =>
    (
      await db.pool.query<{ migration_name: string; applied_steps_count: number }>(
        'SELECT migration_name, applied_steps_count FROM _prisma_migrations ORDER BY migration_name',
      )
    ).rows;
  const before = await recorded();
  expect(before.map((row) => row.migration_name)).toEqual(await migrationNames());
  await migrate(db.url);
  expect(await recorded()).toEqual(before);
});

test('a migration that fails says so and leaves the database unmigrated', async ({ db }) => {
  const name = `${new URL(db.url).pathname.slice(1)}_taken`;
  await db.pool.query(`CREATE DATABASE ${name}`);
  const url = withDatabase(db.url, name);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('CREATE TABLE tenant (id text)');
  await expect(migrate(url)).rejects.toThrow('could not be migrated');
  const { rows } = await client.query(`SELECT 1 FROM pg_tables WHERE tablename = 'job'`);
  expect(rows).toEqual([]);
  await client.end();
  await db.pool.query(`DROP DATABASE ${name}`);
});

test('migrations are plain SQL and are never emptied', async () => {
  for (const name of await migrationNames()) {
    expect(name).toMatch(/^\d{14}_[a-z0-9_]+$/);
    expect((await readFile(join(migrationsDir, name, 'migration.sql'), 'utf8')).trim()).not.toBe('');
  }
});
