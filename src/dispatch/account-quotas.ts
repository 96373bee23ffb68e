import {
  mostOfKind,
  quotaId,
  sumOfTakes,
  type KnownQuota,
  type KnownQuotas,
  type Takes,
  type Ware,
} from '../instances/account-quota.ts';
import type { Pool } from './snapshot.ts';
import type { HeldRow } from './store.ts';

/** Of the limits of a provider's account what is left beside others' machines, and beside what attempts of ours hold. */
export function quotasOf(
  account: KnownQuotas | undefined,
  active: readonly HeldRow[],
  takes: (ware: Ware) => Takes,
): Required<Pick<Pool, 'quotas' | 'wholeKinds'>> {
  if (account === undefined) return { quotas: [], wholeKinds: [] };
  const held = heldOf(account.provider, active, takes);
  const kinds = new Set(account.quotas.flatMap(({ kind }) => kind ?? []));
  return {
    quotas: account.quotas.map((quota) => {
      const { metric, region, kind, unit, limit, raiseAt, others } = quota;
      const id = quotaId(quota);
      const most = limit - others;
      const facts = { id, metric, unit, limit, raiseAt, most, free: most - (held.get(id) ?? 0) };
      return { ...facts, ...(region === undefined ? {} : { region }), ...(kind === undefined ? {} : { kind }) };
    }),
    wholeKinds: [...kinds].filter((kind) => mostOfKind(account, kind) !== undefined),
  };
}

/** By the limit, what attempts hold of it, from the intent until the provider no longer shows their machines. */
export function heldOf(
  provider: string,
  active: readonly HeldRow[],
  takes: (ware: Ware) => Takes,
): Map<string, number> {
  const own = active.filter(({ offer }) => offer.provider === provider);
  return sumOfTakes(own.map(({ offer }) => ({ takes: takes(offer), times: offer.nodes })));
}

export function ofAllNodes(takes: Takes, nodes: number): Takes {
  if (nodes === 1) return takes;
  return Object.fromEntries(Object.entries(takes).map(([id, amount]) => [id, amount * nodes]));
}

/**
 * What the limits of all accounts that are known let weir use at once, in PFLOP/s. Where a limit over all regions holds GPUs of
 * several kinds together, it is taken to be filled with the fastest.
 */
export function accountPetaflops(
  accounts: readonly KnownQuotas[],
  petaflopsPerAccelerator: (kind: string) => number,
): number {
  return accounts.reduce((sum, { quotas }) => sum + petaflopsOfQuotas(quotas, petaflopsPerAccelerator), 0);
}

function petaflopsOfQuotas(quotas: readonly KnownQuota[], petaflopsPerAccelerator: (kind: string) => number): number {
  const overall = quotas.find(({ kind, unit }) => kind === undefined && unit === 'GPUs');
  const wares = new Set((overall?.takes ?? []).map(({ machineType, market }) => `${market} ${machineType}`));
  let left = overall?.limit ?? Infinity;
  let sum = 0;
  const fastest = quotas
    .flatMap((quota) => (quota.kind === undefined ? [] : [{ ...quota, rate: petaflopsPerAccelerator(quota.kind) }]))
    .toSorted((a, b) => b.rate - a.rate);
  for (const { limit, rate, unit, takes } of fastest) {
    const isOverall = unit === 'GPUs' && takes.some(({ machineType, market }) => wares.has(`${market} ${machineType}`));
    const most = isOverall ? Math.min(limit, left) : limit;
    if (isOverall) left -= most;
    sum += most * rate;
  }
  return sum;
}
