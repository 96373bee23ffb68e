import type { BucketRegions } from '../artifacts/residence.ts';
import { WeirError, type Fault } from '../core/errors.ts';
import type { Database, Sql } from '../db/database.ts';
import type { Policy, PoolPolicy } from '../protocol/tenant.ts';
import { byConfiguration, writeAudit } from './audit.ts';
import type { Lineage } from './lineage.ts';
import { findCycle, kinshipFaults, policyFaults, residencyFaults } from './policy-faults.ts';
import { isTenant } from './tenants.ts';

/** Keeps two changes from making a cycle of parents together. */
const policyLock = 7_051_980;

/** The policy a tenant is under; empty, so without limits, where none was set. */
export async function currentPolicy(sql: Sql, tenantId: string): Promise<Policy> {
  return (await latest(sql, tenantId)) as Policy;
}

/** With those of the tenants above it. */
export async function currentLineage(sql: Sql, tenantId: string): Promise<Lineage> {
  const lineage: Lineage = [];
  for (let id: string | undefined = tenantId; id !== undefined && !lineage.some((known) => known.id === id);) {
    const policy: Policy = await currentPolicy(sql, id);
    lineage.push({ id, policy });
    id = policy.parent;
  }
  return lineage;
}

export async function currentPoolPolicy(sql: Sql): Promise<PoolPolicy> {
  return (await latest(sql, null)) as PoolPolicy;
}

async function latest(sql: Sql, tenantId: string | null): Promise<object> {
  const row = await sql.policyVersion.findFirst({
    where: { tenantId },
    orderBy: { id: 'desc' },
    select: { policy: true },
  });
  return (row?.policy ?? {}) as object;
}

/** The policy of each tenant that has one. */
export async function currentPolicies(sql: Sql): Promise<Map<string, Policy>> {
  const rows = await sql.$queryRaw<{ tenant_id: string; policy: Policy }[]>`
    SELECT DISTINCT ON (tenant_id) tenant_id, policy FROM policy_version WHERE tenant_id IS NOT NULL ORDER BY tenant_id, id DESC`;
  return new Map(rows.map(({ tenant_id, policy }) => [tenant_id, policy]));
}

export type PolicyChange = {
  tenantId: string;
  policy: Policy;
  actor: string;
  providers: readonly string[];
  /** Where artifacts are kept. */
  bucketRegions: BucketRegions;
};

/**
 * Sets the whole policy of a tenant, as a new version.
 * @throws WeirError `invalid` with every fault.
 */
export async function putPolicy(
  db: Database,
  { tenantId, policy, actor, providers, bucketRegions }: PolicyChange,
): Promise<Policy> {
  const own = [...policyFaults(policy, providers), ...residencyFaults(policy, bucketRegions)];
  await db.transaction(async (tx) => {
    await tx.$queryRaw`SELECT pg_advisory_xact_lock(${policyLock})::text`;
    const policies = await currentPolicies(tx);
    const above = await parentFaults(tx, tenantId, policy.parent, policies);
    refuse([...own, ...above, ...(above.length > 0 ? [] : kinshipFaults(tenantId, policy, policies))]);
    const before = await currentPolicy(tx, tenantId);
    await tx.policyVersion.create({ data: { tenantId, policy, createdBy: actor } });
    await writeAudit(tx, { actor, tenantId, action: 'policy.put', target: tenantId, before, after: policy });
  });
  return policy;
}

function refuse(faults: Fault[]): void {
  if (faults.length > 0) throw new WeirError('invalid', faults.map(({ detail }) => detail).join(' '), { faults });
}

async function parentFaults(
  tx: Sql,
  tenantId: string,
  parentId: string | undefined,
  policies: Map<string, Policy>,
): Promise<Fault[]> {
  if (parentId === undefined) return [];
  if (!(await isTenant(tx, parentId))) return [{ pointer: '/parent', detail: `There is no tenant ${parentId}.` }];
  const parents = new Map(
    [...policies].flatMap(([id, { parent }]) =>
      parent === undefined || id === tenantId ? [] : [[id, parent] as const],
    ),
  );
  if (findCycle(tenantId, parentId, parents) === undefined) return [];
  return [{ pointer: '/parent', detail: `${parentId} stands under ${tenantId}, so it can't be its parent.` }];
}

export async function putPoolPolicy(db: Database, policy: PoolPolicy, actor: string): Promise<PoolPolicy> {
  await db.transaction((tx) => writePoolPolicy(tx, policy, actor));
  return policy;
}

/** Sets the pool's policy where none was ever set. */
export async function beginPoolPolicy(db: Database, policy: PoolPolicy): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.$queryRaw`SELECT pg_advisory_xact_lock(${policyLock})::text`;
    if ((await tx.policyVersion.count({ where: { tenantId: null } })) === 0)
      await writePoolPolicy(tx, policy, byConfiguration);
  });
}

async function writePoolPolicy(tx: Sql, policy: PoolPolicy, actor: string): Promise<void> {
  const before = await currentPoolPolicy(tx);
  await tx.policyVersion.create({ data: { tenantId: null, policy, createdBy: actor } });
  await writeAudit(tx, { actor, tenantId: null, action: 'pool-policy.put', target: 'pool', before, after: policy });
}
