import type { Policy } from '../protocol/tenant.ts';

/** A tenant's policy, then that of each above it: what they limit holds together. */
export type Lineage = { id: string; policy: Policy }[];

/** The tenant's own policy with what those above it bind: places that all of them allow, and the lowest ceiling of priority. */
export function bindingPolicy(lineage: Lineage): Policy {
  const policies = lineage.map(({ policy }) => policy);
  const providers = common(policies.flatMap((policy) => (policy.providers === undefined ? [] : [policy.providers])));
  const regions = common(policies.flatMap((policy) => (policy.regions === undefined ? [] : [policy.regions])));
  const priorityCeiling = Math.min(...policies.map((policy) => policy.priorityCeiling ?? Infinity));
  return {
    ...policies[0],
    ...(providers === undefined ? {} : { providers }),
    ...(regions === undefined ? {} : { regions }),
    ...(priorityCeiling === Infinity ? {} : { priorityCeiling }),
  };
}

/** What stands in each list; undefined where there is no list, so no limit. */
export function common(lists: readonly string[][]): string[] | undefined {
  const [first, ...rest] = lists;
  return first?.filter((name) => rest.every((list) => list.includes(name)));
}
