import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import type { Database } from '../../src/db/database.ts';
import { createOccupancy } from '../../src/jobs/sole-tenant.ts';
import { createSubmit } from '../../src/jobs/submit.ts';
import type { Job } from '../../src/protocol/job.ts';
import type { Policy } from '../../src/protocol/tenant.ts';
import { sampleQuote } from '../support/app.ts';
import { test } from '../support/database.ts';

/** Submissions to a machine that can't keep jobs apart, under a policy for each tenant. */
function submissions(db: Database, policies: Record<string, Policy> = {}) {
  const submit = createSubmit({
    db,
    now: () => new Date(),
    quote: async () => sampleQuote(newId('quote')),
    holdQuote: () => Promise.reject(new Error('no quote was named')),
    lineage: async (id) => [{ id, policy: policies[id] ?? {} }],
    checkReferences: async () => undefined,
    ...createOccupancy(db.client, () => false),
    petaflopsPerAccelerator: () => 1,
    prospects: async () => ({
      spentTotals: new Map(),
      most: () => Infinity,
      tooSmall: () => [],
      poolPetaflops: Infinity,
      ceilings: { hhi: Infinity, largestShare: Infinity, windowMs: 1 },
    }),
    wakeDispatch: () => undefined,
  });
  return async (tenantId: string, jobId = newId('job')): Promise<Job> =>
    JSON.parse(await submit(tenantId, { name: 'job', command: 'true' }, jobId));
}

test('a submission that is refused does not make the machine its tenant’s', async ({ db }) => {
  const submit = submissions(db, { refused: { caps: { runningJobs: 0 } } });
  await expect(submit('refused')).rejects.toMatchObject({ code: 'can-never-start' });
  expect(await submit('first')).toMatchObject({ state: 'queued' });
  await expect(submit('second')).rejects.toMatchObject({ code: 'can-never-start' });
  expect(await submit('first')).toMatchObject({ state: 'queued' });
});

test('one that is refused since too many are queued does not either', async ({ db }) => {
  const submit = submissions(db, { capped: { caps: { queuedJobs: 1 } } });
  await submit('capped');
  // Nobody's again.
  await db.client.setting.deleteMany();
  await expect(submit('capped')).rejects.toMatchObject({ code: 'too-many-queued' });
  expect(await submit('first')).toMatchObject({ state: 'queued' });
  await expect(submit('capped')).rejects.toMatchObject({ code: 'can-never-start' });
});

test('of two first tenants at the same moment, one has the machine', async ({ db }) => {
  const submit = submissions(db);
  const answers = await Promise.allSettled(['a', 'b', 'c'].map((tenantId) => submit(tenantId)));
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('many submissions at once pass no cap of queued jobs', async ({ db }) => {
  const submit = submissions(db, { capped: { caps: { queuedJobs: 3 } } });
  const answers = await Promise.allSettled(Array.from({ length: 12 }, () => submit('capped')));
  const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
  expect(await db.client.job.count()).toBe(3);
  expect(refused).toHaveLength(9);
  for (const reason of refused) expect(reason).toMatchObject({ code: 'too-many-queued' });
});

test('a submission repeated after a crash is the same job, also where it filled the cap', async ({ db }) => {
  const submit = submissions(db, { capped: { caps: { queuedJobs: 1 } } });
  const jobId = newId('job');
  await submit('capped', jobId);
  expect(await submit('capped', jobId)).toMatchObject({ id: jobId });
  expect(await db.client.job.count()).toBe(1);
  expect(await db.client.jobEvent.count()).toBe(1);
});
