import { WeirError, type ErrorCode } from '../core/errors.ts';
import { hashToken } from '../core/tokens.ts';
import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import { tpuGenerations, type JobSpec } from '../protocol/job-spec.ts';
import type { Assignment, Claim } from '../protocol/runner.ts';
import { readBootstrapToken } from './bootstrap.ts';
import { holdAttempt, staleAttempt } from './fence.ts';
import type { StopReason } from '../jobs/state.ts';
import type { Stop } from '../jobs/stop.ts';
import { readTaskSpecs } from '../jobs/array-store.ts';
import { findInstance, markReady, readRendezvous, type InstanceRow } from './store.ts';

type Downloads = Pick<Assignment, 'source' | 'inputs' | 'checkpoint'>;

export type ClaimDeps = {
  db: Database;
  now: Clock;
  secretKey: Buffer;
  openSecrets: (tenantId: string, names: string[]) => Promise<Record<string, string>>;
  /** Signed URLs of the source, the weir:// inputs and the last checkpoint. Throws `not-found` where one is gone. */
  downloads: (job: { id: string; tenantId: string; spec: JobSpec }) => Promise<Downloads>;
  /** Whether a provider's machine is its job's alone. */
  givesWholeMachines: (provider: string) => boolean;
  stop: Stop;
  timing: { heartbeatMs: number; leaseMs: number; graceMs: number };
};

/**
 * Gives a machine its node of the attempt. Repeating with the same token is the same claim.
 * @throws WeirError `unauthorized` for a token not ours or spent by another, `stale-attempt` where the attempt is over,
 * `storage-refused` where it is worth claiming again.
 */
export function createClaim(deps: ClaimDeps) {
  return async (claim: Claim): Promise<Assignment> => {
    const { db, now, secretKey, timing } = deps;
    const instanceId = readBootstrapToken(secretKey, claim.bootstrapToken);
    const instance = instanceId === undefined ? undefined : await findInstance(db, instanceId);
    if (instance === undefined) throw new WeirError('unauthorized', 'This bootstrap token is not known.');
    const { attempt } = instance;
    const at = now();
    const leaseExpiresAt = new Date(at.getTime() + timing.leaseMs);
    const isOurs = await db.transaction(async (tx) => {
      const { state } = await holdAttempt(tx, attempt.jobId, attempt.number);
      if (state === 'stopping') throw staleAttempt(attempt.number);
      return markReady(tx, instance, { tokenHash: hashToken(claim.token), claim, at, leaseExpiresAt });
    });
    if (!isOurs) throw new WeirError('unauthorized', 'This bootstrap token was spent by another runner.');
    const waitedMs = at.getTime() - (instance.readyAt ?? at).getTime();
    return assignment(instance, claim.host, deps).catch((error: unknown) => giveUp(error, instance, deps, waitedMs));
  };
}

/**
 * What the job names, an input or a secret, is not there any more: no machine could start it, and the job is told so. Storage that
 * refuses is asked again for the lease's time, as where a runner uploads.
 */
async function giveUp(
  error: unknown,
  { attempt }: InstanceRow,
  { stop, timing }: ClaimDeps,
  waitedMs: number,
): Promise<never> {
  if (!(error instanceof WeirError)) throw error;
  const { jobId, number } = attempt;
  const reason = reasonOf(error.code);
  if (reason === undefined || (reason === 'storage-refused' && waitedMs <= timing.leaseMs)) throw error;
  await stop({ jobId, attempt: number, reason, message: error.message });
  throw staleAttempt(number);
}

/** Undefined where the same may go well the next time. */
function reasonOf(code: ErrorCode): StopReason | undefined {
  if (code === 'storage-refused') return code;
  return ['invalid', 'not-found', 'too-large'].includes(code) ? 'input-unavailable' : undefined;
}

async function assignment(
  { attempt, attemptId, tenantId, node, provider }: InstanceRow,
  host: Claim['host'],
  { db, openSecrets, downloads, givesWholeMachines, timing }: ClaimDeps,
): Promise<Assignment> {
  const { jobId, jobName } = attempt;
  const spec = await wholeSpec(db, attempt);
  const { gpus, ...limits } = attempt.limits;
  const hasGpus = !isTpu(attempt.offer.accelerators.kind);
  const [secrets, files, rendezvous] = await Promise.all([
    openSecrets(tenantId, spec.secrets ?? []),
    downloads({ id: jobId, tenantId, spec }),
    gpus.length === 1 ? null : readRendezvous(db.client, attemptId),
  ]);
  return {
    job: { id: jobId, name: jobName, tenant: tenantId },
    attempt: attempt.number,
    node,
    nodes: gpus.length,
    spec,
    secrets,
    ...files,
    limits: {
      ...(givesWholeMachines(provider) ? { ...limits, ...allOf(host) } : limits),
      gpus: hasGpus ? (gpus[node] ?? []) : [],
    },
    heartbeatSeconds: timing.heartbeatMs / 1000,
    leaseSeconds: timing.leaseMs / 1000,
    graceSeconds: timing.graceMs / 1000,
    rendezvous,
  };
}

/** For the system and the runner. */
const keptBytes = 1024 ** 3;

/** What a job has of a machine of its own: the quote's need only said which machine to take. */
function allOf({ cpus, memoryBytes }: Claim['host']): { cpus: number; memoryBytes: number } {
  return { cpus, memoryBytes: Math.floor(Math.max(memoryBytes - keptBytes, memoryBytes / 2)) };
}

const isTpu = (kind: string): boolean => tpuGenerations.some((generation) => generation === kind);

/** A task's own row has only what the broker decides by. */
async function wholeSpec(db: Database, { spec, arrayId, arrayIndex }: InstanceRow['attempt']): Promise<JobSpec> {
  if (arrayId === null || arrayIndex === null) return spec;
  const specOf = await readTaskSpecs(db.client, [{ arrayId, arrayIndex }]);
  return specOf({ arrayId, arrayIndex }) ?? spec;
}
