import { fromUsd, type MicroUsd } from '../core/money.ts';
import type { Sql } from '../db/database.ts';
import type { Posting } from '../shares/store.ts';
import type { Accrue } from '../shares/usage.ts';
import type { AttemptRow } from './attempt-store.ts';

/**
 * Puts the time of an attempt's machines into the accounts, up to a moment or their ends; answers what they were charged in all.
 * `closing`: what is then left of its reservation is given back.
 */
export function chargeMachines(
  tx: Sql,
  attempt: AttemptRow,
  { until, accrue, closing }: { until: Date; accrue: Accrue; closing?: Posting },
): Promise<MicroUsd> {
  const { tenantId, jobId, number, offer, instances } = attempt;
  const shared = { tenantId, jobId, attempt: number, offer, microUsdPerHour: fromUsd(offer.hourlyUsd) / offer.nodes };
  const accruals = instances.flatMap(({ id, createdAt, goneAt }) =>
    createdAt === null ? [] : [{ ...shared, instanceId: id, from: createdAt, to: goneAt ?? until }],
  );
  return accrue(tx, accruals, closing);
}
