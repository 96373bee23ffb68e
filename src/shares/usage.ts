import { priceFor, type MicroUsd } from '../core/money.ts';
import { formatDuration } from '../core/time.ts';
import type { Sql } from '../db/database.ts';
import type { Offer } from '../protocol/quote.ts';
import { chargeAll, lockTenant, lockTenants, refund, type Charge, type Posting } from './store.ts';
import {
  insertUse,
  nothingAccounted,
  readAccounted,
  readAttemptUse,
  type Accounted,
  type NewUse,
} from './usage-store.ts';
import { readDecayedUse, readUse } from './use-store.ts';
import { splitByHour } from './window.ts';

/** The time of one machine that its tenant pays for. */
export type Accrual = {
  instanceId: string;
  tenantId: string;
  jobId: string;
  attempt: number;
  /** Since when it is paid. */
  from: Date;
  /** Until when it is to be in the accounts: the moment itself while it runs, its end after. */
  to: Date;
  offer: Offer;
  /** Of this one machine. */
  microUsdPerHour: number;
};

/** `closing`: gives back what is then left of the job's reservation, too. */
export type Accrue = (tx: Sql, accruals: readonly Accrual[], closing?: Posting) => Promise<MicroUsd>;

/**
 * Puts the time of a tenant's machines into the accounts: use, and with it the charge for the same micro-dollars. What is there
 * already stays, so it may be called at any moment and again; answers what the machines have been charged in all.
 */
export function createAccrue(petaflopsPerAccelerator: (kind: string) => number): Accrue {
  return async (tx, accruals, closing) => {
    const tenantIds = [...accruals, ...(closing === undefined ? [] : [closing])].map(({ tenantId }) => tenantId);
    await lockTenants(tx, [...new Set(tenantIds)].toSorted());
    const accounted = await readAccounted(
      tx,
      accruals.map(({ instanceId }) => instanceId),
    );
    const owed = accruals.map((accrual) =>
      owedFor(accrual, accounted.get(accrual.instanceId) ?? nothingAccounted, petaflopsPerAccelerator),
    );
    await insertUse(
      tx,
      owed.flatMap(({ use }) => use),
    );
    const charges = owed.flatMap(({ charge }) => charge ?? []);
    await chargeAll(tx, charges, closing);
    return owed.reduce((sum, { inAll }) => sum + inAll, 0);
  };
}

/** `inAll`: what the machine has been charged with this. */
type Owed = { use: NewUse[]; charge?: Charge; inAll: MicroUsd };

function owedFor(accrual: Accrual, accounted: Accounted, petaflopsPerAccelerator: (kind: string) => number): Owed {
  const { instanceId, tenantId, jobId, attempt, to, offer } = accrual;
  const from = accounted.to ?? accrual.from;
  if (accounted.isClosed || from >= to) return { use: [], inAll: accounted.microUsd };

  const { kind, count } = offer.accelerators;
  const { provider, region } = offer;
  let charged = accounted.microUsd;
  const use = splitByHour({ from, to }).map((hour) => {
    // Priced from its beginning each time: rounded up once, however often it is accounted.
    const owed = priceFor(accrual.microUsdPerHour, hour.to.getTime() - accrual.from.getTime());
    const microUsd = Math.max(0, owed - charged);
    charged += microUsd;
    const acceleratorSeconds = (count * (hour.to.getTime() - hour.from.getTime())) / 1000;
    const petaflopSeconds = acceleratorSeconds * petaflopsPerAccelerator(kind);
    const machine = { tenantId, jobId, attempt, instanceId, provider, region, kind };
    return { ...machine, ...hour, acceleratorSeconds, petaflopSeconds, microUsd };
  });
  const seconds = (to.getTime() - from.getTime()) / 1000;
  const note = `${count} ${kind} for ${formatDuration(seconds)} on ${provider} in ${region}.`;
  const charge = { tenantId, jobId, attempt, amount: charged - accounted.microUsd, note, at: to };
  return { use, charge, inAll: charged };
}

/**
 * Takes a charge back, in the ledger and from the cost of the use, with lines of their own at the same moment: both sums stay
 * equal. The compute stays used, since the pool gave it.
 */
export async function refundUse(tx: Sql, posting: Posting & { amount: MicroUsd }): Promise<void> {
  const { tenantId, jobId, attempt, amount, at } = posting;
  await lockTenant(tx, tenantId);
  let left = amount;
  const rows = (await readAttemptUse(tx, jobId, attempt)).map(({ microUsd: charged, ...machine }) => {
    const microUsd = Math.min(left, charged);
    left -= microUsd;
    return {
      ...machine,
      tenantId,
      jobId,
      attempt,
      from: at,
      to: at,
      acceleratorSeconds: 0,
      petaflopSeconds: 0,
      microUsd: -microUsd,
    };
  });
  if (left > 0)
    throw new RangeError(`a refund of ${amount} micro-dollars is ${left} more than attempt ${attempt} was charged`);
  await insertUse(
    tx,
    rows.filter(({ microUsd }) => microUsd < 0),
  );
  await refund(tx, posting);
}

/** Past use in petaflop-seconds, worth half after each half-life. What runs now is not in it until it is accounted. */
export async function decayedUse(sql: Sql, halfLifeMs: number, now: Date): Promise<Map<string, number>> {
  return byTenant(await readDecayedUse(sql, halfLifeMs, now));
}

/** Accounted use since then, in petaflop-seconds. */
export async function useSince(sql: Sql, from: Date): Promise<Map<string, number>> {
  return byTenant(await readUse(sql, { from, to: endOfTime, tenantIds: null, live: undefined }, 'all'));
}

/** Nothing is written of the future: everything since a moment is everything until here. */
const endOfTime = new Date(Date.UTC(2500, 0, 1));

function byTenant(rows: { tenantId: string; petaflopSeconds: number }[]): Map<string, number> {
  return new Map(rows.map(({ tenantId, petaflopSeconds }) => [tenantId, petaflopSeconds]));
}
