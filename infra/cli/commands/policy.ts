import { stringify } from 'yaml';
import { answer } from '../api.ts';
import type { Policy, PoolPolicy } from '../generated/api.ts';
import { note, print, printJson } from '../screen.ts';
import { connect, type Flags, type Session } from '../session.ts';
import { readSpecFile } from '../spec-file.ts';

export type PolicyFlags = Flags & { pool?: boolean };

/** As YAML, to be changed and set again. */
export async function getPolicy(flags: PolicyFlags): Promise<void> {
  const session = await connect(flags);
  showPolicy(await readPolicy(session, flags.pool === true), flags);
}

export async function setPolicy(path: string, flags: PolicyFlags): Promise<void> {
  const session = await connect(flags);
  const file = await readSpecFile(path);
  showPolicy(await file.placing(() => writePolicy(session, flags.pool === true, file.value)), flags);
  note('set; it holds from now on. weir policy preview shows what a change would do before it is made');
}

async function readPolicy({ api, tenantId }: Session, isPool: boolean): Promise<Policy | PoolPolicy> {
  if (isPool) return answer(api.GET('/v1/pool/policy'));
  return answer(api.GET('/v1/tenants/{tenant}/policy', { params: { path: { tenant: await tenantId() } } }));
}

async function writePolicy({ api, tenantId }: Session, isPool: boolean, policy: object): Promise<Policy | PoolPolicy> {
  if (isPool) return answer(api.PUT('/v1/pool/policy', { body: policy }));
  const path = { tenant: await tenantId() };
  return answer(api.PUT('/v1/tenants/{tenant}/policy', { params: { path }, body: policy }));
}

function showPolicy(policy: Policy | PoolPolicy, { json }: PolicyFlags): void {
  if (json === true) return printJson(policy);
  print(stringify(policy).trimEnd());
  if (Object.keys(policy).length === 0) note('it limits nothing');
}
