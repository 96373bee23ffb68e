import { fromUsd, type MicroUsd } from '../core/money.ts';
import type { Sql } from '../db/database.ts';
import { endOfUse } from '../shares/end-of-use.ts';
import type { Posting } from '../shares/store.ts';
import type { Accrue } from '../shares/usage.ts';
import type { AttemptRow } from './attempt-store.ts';

/**
 * Puts the time of an attempt's machines into the accounts, up to a moment or the end of their use; answers what they were charged in all.
 * `closing`: what is then left of its reservation is given back.
 */
export function chargeMachines(
  tx: Sql,
  attempt: AttemptRow,
  { until, accrue, closing }: { until: Date; accrue: Accrue; closing?: Posting },
): Promise<MicroUsd> {
  const { tenantId, jobId, number, offer, stoppingAt, instances } = attempt;
  const shared = { tenantId, jobId, attempt: number, offer, microUsdPerHour: fromUsd(offer.hourlyUsd) / offer.nodes };
  const accruals = instances.flatMap(({ createdAt, ...machine }) => {
    if (createdAt === null) return [];
    const to = endOfUse({ createdAt, ...machine }, stoppingAt, until);
    return [{ ...shared, instanceId: machine.id, from: createdAt, to }];
  });
  return accrue(tx, accruals, closing);
}
