import type { Fault } from '../core/errors.ts';
import { nearest } from '../core/nearest.ts';
import { gpuKinds, tpuGenerations } from '../protocol/job-spec.ts';
import { nearestGpu } from '../protocol/nearest-gpu.ts';
import type { BucketRegions } from '../artifacts/residence.ts';
import type { Policy } from '../protocol/tenant.ts';
import { common } from './lineage.ts';

/** What a policy may count: GPUs by kind, TPU chips by generation, and cores. */
export const countedKinds: readonly string[] = [...gpuKinds, ...tpuGenerations, 'cpu'];

/** What the schema can't say about a policy. All faults together. */
export function policyFaults(policy: Policy, providers: readonly string[]): Fault[] {
  const { guaranteed, borrowing, lending, caps } = policy;
  return [
    ...kindFaults('/guaranteed', guaranteed),
    ...kindFaults('/borrowing', borrowing),
    ...kindFaults('/lending', lending),
    ...kindFaults('/caps/accelerators', caps?.accelerators),
    ...(policy.providers ?? [])
      .map((name, index) => ({ name, pointer: `/providers/${index}` }))
      .filter(({ name }) => !providers.includes(name))
      .map(({ name, pointer }) => ({
        pointer,
        detail: `There is no provider "${name}"; there are ${providers.join(', ')}.`,
      })),
    ...lendingFaults(policy),
    ...cappedFaults(policy),
  ];
}

function kindFaults(pointer: string, counts: Record<string, number> | undefined): Fault[] {
  return Object.keys(counts ?? {})
    .filter((kind) => !countedKinds.includes(kind))
    .map((kind) => ({
      pointer: `${pointer}/${kind.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      detail: `"${kind}" is no kind of accelerator.${meantBy(kind)} There are ${countedKinds.join(', ')}.`,
    }));
}

/** Slices of TPU are counted by the chips of their generation. */
function meantBy(kind: string): string {
  const tpu = tpuGenerations.find((generation) => kind.toLowerCase().startsWith(generation));
  const near = tpu ?? [nearestGpu(kind), nearest(kind, countedKinds)].find((each) => each !== undefined);
  return near === undefined ? '' : ` Did you mean "${near}"?`;
}

function lendingFaults({ guaranteed = {}, lending = {} }: Policy): Fault[] {
  return Object.entries(lending)
    .filter(([kind, count]) => count > (guaranteed[kind] ?? 0))
    .map(([kind, count]) => ({
      pointer: `/lending/${kind}`,
      detail: `The tenant can't lend ${count} of its ${guaranteed[kind] ?? 0} guaranteed ${kind}.`,
    }));
}

/** A policy that its artifacts could not obey is no promise to make. */
export function residencyFaults({ regions }: Policy, buckets: BucketRegions): Fault[] {
  const places = buckets.home === null ? [] : [buckets.home, ...buckets.elsewhere];
  if (regions === undefined || places.length === 0 || places.some((place) => regions.includes(place))) return [];
  const detail = `Artifacts are kept in ${places.join(', ')}, where this installation has buckets: name one of these too, or have the operator add a bucket in one of yours (bucket.elsewhere).`;
  return [{ pointer: '/regions', detail }];
}

/** What is guaranteed and can't be had. */
function cappedFaults({ guaranteed = {}, caps = {} }: Policy): Fault[] {
  const promised = Object.entries(guaranteed).filter(([, count]) => count > 0);
  const isBarred = caps.runningJobs === 0 && promised.length > 0;
  return [
    ...promised
      .filter(([kind, count]) => count > (caps.accelerators?.[kind] ?? Infinity))
      .map(([kind, count]) => ({
        pointer: `/guaranteed/${kind}`,
        detail: `${count} ${kind} are guaranteed, and caps.accelerators allows ${caps.accelerators?.[kind]}: lower the one or raise the other.`,
      })),
    ...(isBarred
      ? [
          {
            pointer: '/caps/runningJobs',
            detail: 'Accelerators are guaranteed, and no job may run: raise it, or leave guaranteed out.',
          },
        ]
      : []),
  ];
}

/** All policies with the teams of each organisation, which are summed once, however many policies are checked. */
export type Kinship = {
  policies: ReadonlyMap<string, Policy>;
  teamsOf: (id: string) => readonly (readonly [string, Policy])[];
  /** What the teams of an organisation are guaranteed together; of a team without a guarantee of the kind, what its own teams are. */
  promisedUnder: (id: string, kind: string) => number;
};

export function kinshipOf(policies: ReadonlyMap<string, Policy>): Kinship {
  const teams = Map.groupBy(policies, ([, { parent }]) => parent);
  const teamsOf = (id: string) => teams.get(id) ?? [];
  const promised = new Map<string, number>();
  const promisedUnder = (id: string, kind: string): number => {
    const key = `${id} ${kind}`;
    if (!promised.has(key)) {
      // In a circle, which is refused elsewhere, it would never end.
      promised.set(key, 0);
      const each = teamsOf(id).map(([team, { guaranteed }]) => guaranteed?.[kind] ?? promisedUnder(team, kind));
      promised.set(
        key,
        each.reduce((sum, count) => sum + count, 0),
      );
    }
    return promised.get(key) ?? 0;
  };
  return { policies, teamsOf, promisedUnder };
}

/**
 * What of a tenant's policy contradicts those above and below it: guarantees that together exceed what their organisation is
 * guaranteed or allowed, and places none of which both allow.
 */
export function kinshipFaults(tenantId: string, policy: Policy, others: ReadonlyMap<string, Policy>): Fault[] {
  return kinshipFaultsIn(kinshipOf(new Map(others).set(tenantId, policy)), tenantId, policy);
}

/** The same of a policy that is among those of its kinship. */
export function kinshipFaultsIn(kinship: Kinship, tenantId: string, policy: Policy): Fault[] {
  const { policies, teamsOf } = kinship;
  const parent = policy.parent === undefined ? undefined : policies.get(policy.parent);
  return [
    ...ancestorsOf(tenantId, policies).flatMap((id) => promiseFaults(id, kinship, policy)),
    ...(policy.parent === undefined || parent === undefined ? [] : placeFaults(policy, [policy.parent, parent])),
    ...promiseFaults(tenantId, kinship, policy),
    ...teamsOf(tenantId).flatMap((team) => placeFaults(policy, team)),
  ];
}

function ancestorsOf(tenantId: string, policies: ReadonlyMap<string, Policy>): string[] {
  const above = new Set<string>();
  for (let id = policies.get(tenantId)?.parent; id !== undefined && !above.has(id); id = policies.get(id)?.parent)
    above.add(id);
  return [...above];
}

/** Of all teams of an organisation together, for the kinds that the policy being set names. */
function promiseFaults(
  parentId: string,
  { policies, promisedUnder }: Kinship,
  { guaranteed = {}, caps }: Policy,
): Fault[] {
  const { guaranteed: ofParent = {}, caps: parentCaps } = policies.get(parentId) ?? {};
  const kinds = new Set([...Object.keys(guaranteed), ...Object.keys(caps?.accelerators ?? {})]);
  const faults: Fault[] = [];
  for (const kind of kinds) {
    const promised = promisedUnder(parentId, kind);
    // A kind that the organisation has no guarantee of is guaranteed to its teams by the pool itself.
    const most = Math.min(ofParent[kind] ?? Infinity, parentCaps?.accelerators?.[kind] ?? Infinity);
    if (promised <= most) continue;
    const field = most === ofParent[kind] ? 'guaranteed' : 'caps.accelerators';
    faults.push({
      pointer: guaranteed[kind] === undefined ? `/caps/accelerators/${kind}` : `/guaranteed/${kind}`,
      detail: `The teams under ${parentId} are guaranteed ${promised} ${kind} together, and its ${field} is ${most}: lower theirs, or raise it.`,
    });
  }
  return faults;
}

function placeFaults(policy: Policy, [otherId, other]: readonly [string, Policy]): Fault[] {
  return (['providers', 'regions'] as const)
    .filter((field) => common([policy[field] ?? [], other[field] ?? []])?.length === 0)
    .filter((field) => policy[field] !== undefined && other[field] !== undefined)
    .map((field) => ({
      pointer: `/${field}`,
      detail: `None of these is among the ${field} of ${otherId}, ${other[field]?.join(', ')}: no job could run.`,
    }));
}

/** The first tenant met twice on the way up from this one, were `parentId` its parent; undefined where the way ends. */
export function findCycle(
  tenantId: string,
  parentId: string | undefined,
  parents: ReadonlyMap<string, string>,
): string | undefined {
  const seen = new Set([tenantId]);
  for (let above = parentId; above !== undefined; above = parents.get(above)) {
    if (seen.has(above)) return above;
    seen.add(above);
  }
  return undefined;
}
