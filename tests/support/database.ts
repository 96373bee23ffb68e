import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject, test as base } from 'vitest';
import { openDatabase, type Database } from '../../src/db/database.ts';
import { templateName, withDatabase } from './global-setup.ts';

/** A copy of the template database, dropped when `drop` is called. */
export async function createDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const clusterUrl = inject('clusterUrl');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await administer(clusterUrl, `CREATE DATABASE ${name} TEMPLATE ${templateName} STRATEGY file_copy`);
  return {
    url: withDatabase(clusterUrl, name),
    drop: () => administer(clusterUrl, `DROP DATABASE ${name} WITH (FORCE)`),
  };
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** vitest's `test` with a database of its own as `db`. */
export const test = base.extend<{ db: Database }>({
  // eslint-disable-next-line no-empty-pattern
  db: async ({}, use) => {
    const { url, drop } = await createDatabase();
    const db = openDatabase(url, 5);
    await use(db);
    await db.close();
    await drop();
  },
});
