import { expect } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { test } from '../support/database.ts';

test('on a server in another time zone, Prisma and plain SQL agree on the time', async ({ db }) => {
  const [row] = (await db.pool.query<{ name: string }>('SELECT current_database() AS name')).rows;
  await db.pool.query(`ALTER DATABASE ${row?.name} SET timezone = 'Asia/Kolkata'`);
  const there = openDatabase(db.url, 1);
  const at = new Date('2026-11-10T12:00:00Z');
  await there.client.tenant.create({ data: { id: 'tnt_1', name: 'vision', createdAt: at } });
  const { rows } = await there.pool.query<{ created_at: Date }>('SELECT created_at FROM tenant WHERE created_at = $1', [
    at,
  ]);
  const read = await there.client.tenant.findMany();
  await there.close();
  expect(rows).toEqual([{ created_at: at }]);
  expect(read).toMatchObject([{ createdAt: at }]);
});
