import type { Policy } from '../protocol/tenant.ts';
import { sumOf, type PoolUse } from './pool-use.ts';
import { readUse, type Dimension, type Use } from './use-store.ts';
import type { Sql } from '../db/database.ts';

/** By tenant, by the organisation at the top of a tenant's parents, or along a dimension. */
export type GroupBy = 'tenant' | 'parent' | Exclude<Dimension, 'all'>;

/** `value` is null for what has no such label. */
export type Group = Use & { value: string | null; name: string | null };

/** In how many groups something is shown at most: labels can have a value for each job. */
const mostGroups = 1000;

/** What was used, by group; who used most first. Of one tenant where the viewer is one. */
export async function readGroups(
  sql: Sql,
  { scope, tenants }: PoolUse,
  { groupBy, viewer, policies }: { groupBy: GroupBy; viewer: string | null; policies: Map<string, Policy> },
): Promise<Group[]> {
  const seen = viewer === null ? tenants : tenants.filter(({ id }) => id === viewer);
  if (groupBy === 'tenant' || groupBy === 'parent') {
    const names = new Map(seen.map(({ id, name }) => [id, name]));
    const valueOf = (id: string) => (groupBy === 'tenant' ? id : topOf(id, policies));
    return summed(seen.map((use) => ({ ...use, value: valueOf(use.id), name: names.get(valueOf(use.id)) ?? null })));
  }
  const rows = await readUse(sql, { ...scope, tenantIds: viewer === null ? null : [viewer] }, groupBy);
  const named = rows.map((row) => ({ ...row, name: null }));
  const rest = minus(sumOf(seen), sumOf(named));
  const isLabel = groupBy.startsWith('label:') && rest.petaflopSeconds > 1e-6;
  return summed(isLabel ? [...named, { ...rest, value: null, name: null }] : named).slice(0, mostGroups);
}

/** The organisation at the top: the tenant itself where it has no parent. Policies have no cycle of parents. */
export function topOf(tenantId: string, policies: Map<string, Policy>): string {
  const parent = policies.get(tenantId)?.parent;
  return parent === undefined ? tenantId : topOf(parent, policies);
}

/** A tenant and all teams below it. */
export function withTeams(tenantId: string, policies: ReadonlyMap<string, Policy>): string[] {
  const teams = [...policies].filter(([, { parent }]) => parent === tenantId);
  return [tenantId, ...teams.flatMap(([id]) => withTeams(id, policies))];
}

function summed(uses: Group[]): Group[] {
  const groups = Map.groupBy(uses, ({ value }) => value);
  return [...groups.values()]
    .map((members) => ({ value: members[0]?.value ?? null, name: members[0]?.name ?? null, ...sumOf(members) }))
    .toSorted((a, b) => b.petaflopSeconds - a.petaflopSeconds);
}

function minus(left: Use, right: Use): Use {
  return {
    acceleratorSeconds: Math.max(0, left.acceleratorSeconds - right.acceleratorSeconds),
    petaflopSeconds: Math.max(0, left.petaflopSeconds - right.petaflopSeconds),
    microUsd: left.microUsd - right.microUsd,
  };
}
