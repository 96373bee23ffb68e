import { dayMs, parseDuration } from '../core/time.ts';
import type { Policy, PoolPolicy } from '../protocol/tenant.ts';
import { bindingPolicy } from '../tenants/lineage.ts';
import { ancestorsOf, type Parents } from './hierarchy.ts';
import type { PoolRules, Quota, TenantUse } from './snapshot.ts';

/** What policies say, with what they mean where they say nothing: read alike by the cycle and by simulations. */
export type Limits = Pick<TenantUse, 'id' | 'parent' | 'weight' | 'caps' | 'quotas'>;

export function limitsOf(id: string, policy: Policy, parents: Parents): Limits {
  const { runningJobs = Infinity, accelerators = {}, computePflops = Infinity } = policy.caps ?? {};
  return {
    id,
    parent: parents.get(id),
    weight: policy.weight ?? 1,
    caps: { runningJobs, accelerators, petaflops: computePflops },
    quotas: quotasOf(policy),
  };
}

function quotasOf({ guaranteed = {}, borrowing = {}, lending = {} }: Policy): Record<string, Quota> {
  const kinds = new Set([...Object.keys(guaranteed), ...Object.keys(borrowing)]);
  return Object.fromEntries(
    [...kinds].map((kind) => {
      const own = guaranteed[kind] ?? 0;
      return [kind, { guaranteed: own, borrowing: borrowing[kind] ?? Infinity, lending: lending[kind] ?? own }];
    }),
  );
}

export function parentsOf(policies: ReadonlyMap<string, Policy>): Parents {
  return new Map([...policies].flatMap(([id, { parent }]) => (parent === undefined ? [] : [[id, parent] as const])));
}

/** A tenant's policy with what those above it bind: where it may run, and how high its priority may be. */
export function bindingOf(id: string, policies: ReadonlyMap<string, Policy>, parents: Parents): Policy {
  return bindingPolicy(
    [id, ...ancestorsOf(id, parents)].map((each) => ({ id: each, policy: policies.get(each) ?? {} })),
  );
}

/** Of a guarantee that is not all lent, something is kept free also while its tenant has nothing to run. */
export function keepingOf(policies: ReadonlyMap<string, Policy>): string[] {
  return [...policies].flatMap(([id, { lending }]) => (lending === undefined ? [] : [id]));
}

const defaultHalfLife = '7d';
const defaultMinRuntime = '1m';
const defaultWindow = '30d';

/** Of the ceilings on concentration. */
export const concentrationWindowMs = 30 * dayMs;

export function halfLifeMsOf({ halfLife = defaultHalfLife }: PoolPolicy): number {
  return parseDuration(halfLife);
}

export function preemptionOf({
  minRuntime = defaultMinRuntime,
  preemptLowerPriority = false,
}: PoolPolicy): Pick<PoolRules, 'minRuntimeMs' | 'preemptsLowerPriority'> {
  return { minRuntimeMs: parseDuration(minRuntime), preemptsLowerPriority: preemptLowerPriority };
}

export function windowMsOf({ window = defaultWindow }: NonNullable<Policy['shareCap']>): number {
  return parseDuration(window);
}

/** A share is measured against at least this part of what the pool could have given, so that the first job is not a monopoly. */
const floorPart = 0.1;

/** In petaflop-seconds. */
export function floorOf(poolPetaflops: number, lengthMs: number): number {
  return (floorPart * poolPetaflops * lengthMs) / 1000;
}
