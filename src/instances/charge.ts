import { fromUsd, type MicroUsd } from '../core/money.ts';
import type { Sql } from '../db/database.ts';
import type { Offer } from '../protocol/quote.ts';
import type { Accrue } from '../shares/usage.ts';
import type { AttemptRow } from './store.ts';

/** Puts the time of an attempt's machines into the accounts, up to a moment or their ends; answers what they were charged in all. */
export async function chargeMachines(tx: Sql, attempt: AttemptRow, until: Date, accrue: Accrue): Promise<MicroUsd> {
  const { tenantId, jobId, number, instances } = attempt;
  const offer = attempt.offer as unknown as Offer;
  const shared = { tenantId, jobId, attempt: number, offer, microUsdPerHour: fromUsd(offer.hourlyUsd) / offer.nodes };
  let charged = 0;
  for (const { id, createdAt, goneAt } of instances) {
    if (createdAt === null) continue;
    charged += await accrue(tx, { ...shared, instanceId: id, from: createdAt, to: goneAt ?? until });
  }
  return charged;
}
