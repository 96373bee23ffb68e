import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import type { Provider } from '../providers/provider.ts';
import { quotaId, sumOfTakes, takesOf, type KnownQuotas } from './account-quota.ts';
import { listSteady, quotasReadAt, writeAccountQuotas } from './account-quota-store.ts';

/** What others do in the account, and what an operator was given more of, is seen within this. */
const goodForMs = 30_000;

export type RefreshQuotasDeps = {
  db: Database;
  now: Clock;
  provider: (name: string) => Provider;
  wakeDispatch: () => void;
};

/** True where the limits are to be read again. */
export async function areQuotasDue(db: Database, provider: string, now: Date): Promise<boolean> {
  const readAt = await quotasReadAt(db.client, provider);
  return readAt === undefined || now.getTime() - readAt.getTime() >= goodForMs;
}

/**
 * The step of the queue: reads the limits of a provider's account and keeps them for all processes. What of the use is weir's own is
 * known from its rows: what is left is others'. Of machines that come or go just then nobody knows whether the provider counted them,
 * so they count as others' until the next reading: rather too little is given than too much. Repeatable.
 * @throws WeirError `unavailable` where the provider does not answer: what was read before holds for a while.
 */
export function createRefreshQuotas({ db, now, provider, wakeDispatch }: RefreshQuotasDeps) {
  return async (name: string): Promise<void> => {
    const { quotas: read } = provider(name);
    if (read === undefined || !(await areQuotasDue(db, name, now()))) return;
    const before = await listSteady(db.client, name);
    const readAt = now();
    const { quotas, unknown } = await read();
    const still = new Set((await listSteady(db.client, name)).map(({ id }) => id));
    const known: KnownQuotas = {
      provider: name,
      readAt,
      unknown,
      quotas: quotas.map((quota) => ({ ...quota, others: 0 })),
    };
    const takes = takesOf([known]);
    const own = sumOfTakes(
      before.filter(({ id }) => still.has(id)).map(({ offer }) => ({ takes: takes(offer), times: 1 })),
    );
    for (const quota of known.quotas) quota.others = Math.max(0, quota.used - (own.get(quotaId(quota)) ?? 0));
    await writeAccountQuotas(db.client, known);
    wakeDispatch();
  };
}
