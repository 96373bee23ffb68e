import { expect } from 'vitest';
import { test } from '../support/database.ts';

test('the ledger refuses to be changed', async ({ db }) => {
  await db.pool.query(`INSERT INTO ledger_entry (id, at, transaction_id, tenant_id, account, kind, amount_micro_usd, balance_micro_usd, note)
    VALUES ('ent_1', now(), 'x', 'tnt_1', 'reserved', 'reserve', 1, 1, '')`);
  await expect(db.pool.query('UPDATE ledger_entry SET note = $1', ['changed'])).rejects.toThrow('append-only');
  await expect(db.pool.query('DELETE FROM ledger_entry')).rejects.toThrow('append-only');
});
