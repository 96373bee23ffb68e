import type { Offer } from '../protocol/quote.ts';
import type { AccountQuota, UnknownQuota } from '../providers/provider.ts';

/** A limit as it was read, with what of it others than weir used then. */
export type KnownQuota = AccountQuota & { others: number };

/** What is known of the limits of one account. */
export type KnownQuotas = { provider: string; readAt: Date; quotas: KnownQuota[]; unknown: UnknownQuota[] };

/** Unique among the limits of one provider. */
export function quotaId({ metric, region = 'all regions' }: Pick<AccountQuota, 'metric' | 'region'>): string {
  return `${metric} in ${region}`;
}

/** Of each limit that machines count against, by its id, how much they take. */
export type Takes = Readonly<Record<string, number>>;

export type Ware = Pick<Offer, 'provider' | 'region' | 'machineType' | 'market'>;

const nothing: Takes = {};

/** What one machine of a ware takes of the limits of its account. */
export function takesOf(known: readonly KnownQuotas[]): (ware: Ware) => Takes {
  /** By market and machine type, and below it by region; '' for those over all regions. */
  const index = new Map<string, { region: string | undefined; id: string; amount: number }[]>();
  for (const { provider, quotas } of known)
    for (const quota of quotas)
      for (const { machineType, market, amount } of quota.takes) {
        const key = `${provider} ${market} ${machineType}`;
        const found = index.get(key) ?? [];
        found.push({ region: quota.region, id: quotaId(quota), amount });
        index.set(key, found);
      }
  const seen = new Map<string, Takes>();
  return ({ provider, region, machineType, market }) => {
    const found = index.get(`${provider} ${market} ${machineType}`);
    if (found === undefined) return nothing;
    const key = `${provider} ${market} ${machineType} ${region}`;
    const known = seen.get(key);
    if (known !== undefined) return known;
    const takes = Object.fromEntries(
      found.filter((each) => each.region === undefined || each.region === region).map(({ id, amount }) => [id, amount]),
    );
    seen.set(key, takes);
    return takes;
  };
}

/** What machines of several attempts take together: `times` is of how many of the ware. */
export function sumOfTakes(taken: Iterable<{ takes: Takes; times: number }>): Map<string, number> {
  const sum = new Map<string, number>();
  for (const { takes, times } of taken)
    for (const [id, amount] of Object.entries(takes)) sum.set(id, (sum.get(id) ?? 0) + amount * times);
  return sum;
}

/** Whether nothing is known to be missing: then what the account can give at once is known. */
export function isWholeKnown({ quotas, unknown }: Pick<KnownQuotas, 'quotas' | 'unknown'>): boolean {
  return quotas.length > 0 && unknown.length === 0;
}

/** What the account can give at once of a kind; undefined where a part is not known, or none is said. */
export function mostOfKind(
  { quotas, unknown }: Pick<KnownQuotas, 'quotas' | 'unknown'>,
  kind: string,
): number | undefined {
  const own = quotas.filter((quota) => quota.kind === kind);
  if (own.length === 0 || unknown.some(({ of }) => of.kind === undefined || of.kind === kind)) return undefined;
  return own.reduce((sum, { limit }) => sum + limit, 0);
}
