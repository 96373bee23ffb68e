import { newId } from '../../src/core/ids.ts';
import { hashToken, newToken } from '../../src/core/tokens.ts';
import type { Database } from '../../src/db/database.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';

export type RunningJob = { tenantId: string; jobId: string; token: string };

/** A running job with the node of its first attempt, as dispatch and the runner's claim would have left them. */
export async function insertRunningJob(db: Database, spec: Partial<JobSpec> = {}): Promise<RunningJob> {
  const [tenantId, jobId, at] = [newId('tenant'), newId('job'), new Date()];
  await db.client.tenant.create({ data: { id: tenantId, name: tenantId } });
  await db.client.job.create({
    data: {
      id: jobId,
      tenantId,
      name: 'test',
      state: 'running',
      spec: { name: 'test', command: 'true', ...spec } as object,
      quoteId: newId('quote'),
      options: [],
      priority: 50,
      createdAt: at,
      queuedAt: at,
    },
  });
  return { tenantId, jobId, token: await startAttempt(db, { tenantId, jobId }, 1) };
}

/** Ends the attempt before, if there is one. Answers the token of the new attempt's only runner. */
export async function startAttempt(
  db: Database,
  { tenantId, jobId }: Omit<RunningJob, 'token'>,
  number: number,
): Promise<string> {
  const [attemptId, at] = [newId('attempt'), new Date()];
  await db.client.attempt.updateMany({ where: { jobId, finishedAt: null }, data: { finishedAt: at } });
  await db.client.attempt.create({
    data: {
      id: attemptId,
      jobId,
      tenantId,
      number,
      state: 'running',
      offer: {},
      limits: {},
      createdAt: at,
      leaseExpiresAt: new Date(at.getTime() + 60_000),
    },
  });
  await db.client.job.update({ where: { id: jobId }, data: { attemptNumber: number } });
  return startNode(db, { tenantId, attemptId, node: 0 });
}

/** Answers the token of its runner. */
export async function startNode(
  db: Database,
  { tenantId, attemptId, node }: { tenantId: string; attemptId: string; node: number },
): Promise<string> {
  const token = newToken();
  await db.client.instance.create({
    data: {
      id: newId('instance'),
      attemptId,
      tenantId,
      node,
      provider: 'local',
      zone: 'local',
      name: `weir-${attemptId}-${node}`,
      state: 'ready',
      tokenHash: hashToken(token),
      requestedAt: new Date(),
    },
  });
  return token;
}
