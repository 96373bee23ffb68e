import { invalid } from '../core/errors.ts';
import { fromUsd, toUsd } from '../core/money.ts';
import type { Database, Sql } from '../db/database.ts';
import type { Adjustment, NewAdjustment } from '../protocol/share.ts';
import { writeAudit } from '../tenants/audit.ts';
import { findLine, isJobOf } from './statement-store.ts';
import { adjust, lockTenant } from './store.ts';

export type AdjustmentRequest = NewAdjustment & {
  /** Of the line it becomes. The same id again is the same adjustment. */
  id: string;
  tenantId: string;
  /** The key that does it. */
  actor: string;
  at: Date;
};

/**
 * An operator corrects what a tenant owes, with the reason on its statement and in the audit.
 * @throws WeirError `invalid` where the amount is below a micro-dollar or the job is not the tenant's.
 */
export async function createAdjustment(db: Database, request: AdjustmentRequest): Promise<Adjustment> {
  const { id, tenantId, amountUsd, reason, job: jobId = null, actor, at } = request;
  const amount = fromUsd(amountUsd);
  if (amount === 0) throw invalid('/amountUsd', 'An adjustment moves at least a millionth of a dollar.');
  return db.transaction(async (tx) => {
    await lockTenant(tx, tenantId);
    // A request that was carried out and whose answer was lost comes again with the same id.
    const before = await findAdjustment(tx, id);
    if (before !== undefined) return before;
    if (jobId !== null && !(await isJobOf(tx, tenantId, jobId)))
      throw invalid('/job', `${jobId} is no job of this tenant.`);
    await adjust(tx, { id, tenantId, jobId, amount, note: reason, at });
    const after = { amountUsd: toUsd(amount), reason, job: jobId };
    await writeAudit(tx, { actor, tenantId, action: 'adjustment.create', target: id, after });
    return requireAdjustment(tx, id);
  });
}

async function findAdjustment(sql: Sql, id: string): Promise<Adjustment | undefined> {
  const line = await findLine(sql, id);
  if (line === undefined) return undefined;
  const { tenantId, at, job, amountUsd, balanceUsd, note } = line;
  return { id, tenant: tenantId, at, job, amountUsd, reason: note, spentUsd: balanceUsd };
}

async function requireAdjustment(sql: Sql, id: string): Promise<Adjustment> {
  const adjustment = await findAdjustment(sql, id);
  if (adjustment === undefined) throw new Error(`the line ${id} was not written`);
  return adjustment;
}
