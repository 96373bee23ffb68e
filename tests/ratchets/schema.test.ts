import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { expect } from 'vitest';
import { withDatabase } from '../support/global-setup.ts';
import { test } from '../support/database.ts';
import { root } from './sources.ts';

const run = promisify(execFile);

const withoutCarried = (definition: string) => `regexp_replace(${definition}, ' INCLUDE \\([^)]*\\)', '')`;

/**
 * What schema.prisma can say of a database. Triggers, checks, functions, storage settings, indexes over expressions and what an index
 * carries along are the migrations' own.
 */
const facts = {
  columns: `SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull, pg_get_expr(d.adbin, d.adrelid) AS value
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname <> '_prisma_migrations'`,
  indexes: `SELECT ${withoutCarried('indexdef')} FROM pg_indexes WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'
    AND NOT EXISTS (SELECT FROM pg_index WHERE indexrelid = format('%I.%I', schemaname, indexname)::regclass AND indexprs IS NOT NULL)`,
  constraints: `SELECT conrelid::regclass::text, conname, ${withoutCarried('pg_get_constraintdef(oid)')} FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype NOT IN ('n', 'c', 't') AND conrelid::regclass::text <> '_prisma_migrations'`,
  enums: `SELECT t.typname, e.enumlabel, e.enumsortorder FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
    WHERE t.typnamespace = 'public'::regnamespace`,
  sequences: `SELECT sequencename, data_type::text FROM pg_sequences WHERE schemaname = 'public'`,
};

async function describeDatabase(client: pg.Pool | pg.Client): Promise<Record<string, string[]>> {
  const described: Record<string, string[]> = {};
  for (const [name, query] of Object.entries(facts)) {
    const { rows } = await client.query<Record<string, unknown>>(query);
    described[name] = rows.map((row) => Object.values(row).join(' ')).sort();
  }
  return described;
}

test('the migrations together make what schema.prisma says', async ({ db }) => {
  const env = { ...process.env, DATABASE_URL: db.url };
  const { stdout: script } = await run(process.execPath, [join(root, 'prisma/migrate.ts'), 'script'], { env });
  const migrated = await describeDatabase(db.pool);
  expect(migrated['columns']?.length).toBeGreaterThan(100);

  const name = `${new URL(db.url).pathname.slice(1)}_schema`;
  await db.pool.query(`CREATE DATABASE ${name}`);
  const client = new pg.Client({ connectionString: withDatabase(db.url, name) });
  await client.connect();
  await client.query(script);
  const described = await describeDatabase(client);
  await client.end();
  await db.pool.query(`DROP DATABASE ${name}`);
  expect(migrated).toEqual(described);
});
