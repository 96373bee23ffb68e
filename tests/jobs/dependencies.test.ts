import { expect } from 'vitest';
import { Prisma } from '../../src/db/database.ts';
import { newId } from '../../src/core/ids.ts';
import type { Job } from '../../src/protocol/job.ts';
import { insertAlone } from '../../src/jobs/store.ts';
import { asText } from '../../src/quotes/store.ts';
import { requireDependencies } from '../../src/jobs/dependencies.ts';
import { findShownJob } from '../../src/jobs/shown-store.ts';
import { jobView } from '../../src/jobs/view.ts';
import { sampleQuote } from '../support/app.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import { addJob, addTenant, jobOf, startRunning, test, type World } from '../instances/world.ts';

type On = 'success' | 'failure' | 'end';

/** Submits a job that depends on others. */
async function addDependent(
  { db, now }: World,
  tenantId: string,
  dependsOn: { job: string; on?: On }[],
  spec: Partial<JobSpec> = {},
): Promise<string> {
  const id = newId('job');
  const quote = sampleQuote(newId('quote'));
  const options = quote.options.map((option) => ({ ...option, offer: { ...option.offer, provider: 'scripted' } }));
  const whole = { name: 'dependent', command: 'true', dependsOn, ...spec };
  await insertAlone(
    db,
    { id, tenantId, spec: whole, quote: asText(quote), isNewQuote: true, options, at: now() },
    { cap: undefined, take: async () => options },
  );
  return id;
}

async function viewOf({ db, now }: World, jobId: string): Promise<Job> {
  const row = await findShownJob(db.client, jobId, now());
  if (row === undefined) throw new Error(`no job ${jobId}`);
  return jobView(row, now());
}

async function finish(world: World, jobId: string, reason: 'completed' | 'exit-code' = 'completed'): Promise<void> {
  const { attemptId, tokens, number } = await startRunning(world, jobId);
  for (const token of tokens) await world.end(token, number, reason);
  await world.settle(attemptId);
}

test('a job waits for what it depends on, says for what and until when, and then starts', async ({ world }) => {
  const tenantId = await addTenant(world);
  const first = await addJob(world, tenantId, { name: 'preprocess' });
  // Of what it waits for no quote is read: there may be a thousand, each of hundreds of kilobytes.
  await world.db.client.quote.updateMany({ data: { packed: Buffer.from('not read'), answer: Prisma.DbNull } });
  const second = await addDependent(world, tenantId, [{ job: first }]);
  expect((await viewOf(world, second)).waiting?.blockers).toEqual([
    {
      code: 'dependency',
      message: `It waits for ${first} (preprocess), which is queued.`,
      unblocks: `${first} succeeds.`,
    },
  ]);
  const { attemptId, tokens } = await startRunning(world, first);
  world.advance(60);
  await world.cycle();
  // Ten minutes were quoted; that one has passed makes it hardly later.
  const ends = String.raw`2026-11-10T12:10:00\.\d{3}Z`;
  expect((await viewOf(world, second)).waiting).toMatchObject({
    eta: { p50: expect.stringMatching(ends) },
    blockers: [
      {
        message: expect.stringMatching(
          String.raw`^It waits for ${first} \(preprocess\), which is running, and is expected to end about ${ends}\.$`,
        ),
      },
    ],
  });
  expect((await jobOf(world, second)).state).toBe('queued');
  await world.end(tokens[0] ?? '', 1);
  await world.settle(attemptId);
  await world.cycle();
  expect((await jobOf(world, second)).state).toBe('provisioning');
});

test('each condition is met by its own ends, and what can’t be met any more fails the job and those behind it', async ({
  world,
}) => {
  const tenantId = await addTenant(world);
  const ends: [string, (jobId: string) => Promise<void>][] = [
    ['succeeded', (jobId) => finish(world, jobId)],
    ['failed', (jobId) => finish(world, jobId, 'exit-code')],
    ['cancelled', (jobId) => world.cancel(jobId)],
  ];
  const came: Record<string, string[]> = {};
  for (const [end, bring] of ends) {
    const first = await addJob(world, tenantId);
    const dependents = new Map<On, string>();
    for (const on of ['success', 'failure', 'end'] as const)
      dependents.set(on, await addDependent(world, tenantId, [{ job: first, on }]));
    const behind = await addDependent(world, tenantId, [{ job: dependents.get('success') ?? '' }]);
    await bring(first);
    while (await world.tend());
    came[end] = [];
    for (const [on, jobId] of dependents) {
      const { held, reason } = await jobOf(world, jobId);
      came[end].push(`${on}: ${held ? (reason ?? 'held') : 'free'}`);
      await world.cancel(jobId);
    }
    if (end !== 'succeeded')
      expect(await viewOf(world, behind)).toMatchObject({ state: 'failed', reason: 'dependency-failed' });
  }
  expect(came).toEqual({
    succeeded: ['success: free', 'failure: dependency-failed', 'end: free'],
    failed: ['success: dependency-failed', 'failure: free', 'end: free'],
    cancelled: ['success: dependency-failed', 'failure: dependency-failed', 'end: free'],
  });
});

test('a job that fails for another says which and how it ended', async ({ world }) => {
  const tenantId = await addTenant(world);
  const first = await addJob(world, tenantId, { name: 'preprocess' });
  const second = await addDependent(world, tenantId, [{ job: first }]);
  await world.cancel(first);
  await world.tend();
  expect((await viewOf(world, second)).message).toBe(
    `It waited for the success of ${first} (preprocess), which was cancelled.`,
  );
});

test('of two dependencies that end at the same moment the second lets the job go', async ({ world }) => {
  const tenantId = await addTenant(world);
  for (let round = 0; round < 5; round += 1) {
    const jobs = [await addJob(world, tenantId), await addJob(world, tenantId)];
    const dependent = await addDependent(
      world,
      tenantId,
      jobs.map((job) => ({ job, on: 'end' as const })),
    );
    await Promise.all(jobs.map((job) => world.cancel(job)));
    expect((await jobOf(world, dependent)).held).toBe(false);
    await world.cancel(dependent);
  }
});

test('a job that is submitted while the other ends is neither lost nor let go too early', async ({ world }) => {
  const tenantId = await addTenant(world);
  for (let round = 0; round < 5; round += 1) {
    const first = await addJob(world, tenantId);
    const [dependent] = await Promise.all([
      addDependent(world, tenantId, [{ job: first, on: 'end' }]),
      world.cancel(first),
    ]);
    expect((await jobOf(world, dependent)).held).toBe(false);
    await world.cancel(dependent);
  }
});

test('depending on an array waits for all of it; an array that depends has no tasks before', async ({ world, db }) => {
  const tenantId = await addTenant(world);
  const array = await addJob(world, tenantId, { array: { count: 2 } });
  const after = await addDependent(world, tenantId, [{ job: array }], { array: { count: 3 } });
  await world.tend();
  const tasks = await db.client.job.findMany({ where: { arrayId: array }, orderBy: { arrayIndex: 'asc' } });
  expect(await db.client.job.count({ where: { arrayId: after } })).toBe(0);
  await finish(world, tasks[0]?.id ?? '');
  await world.tend();
  expect(await db.client.job.count({ where: { arrayId: after } })).toBe(0);
  await finish(world, tasks[1]?.id ?? '');
  await world.tend();
  expect(await db.client.job.count({ where: { arrayId: after, held: false } })).toBe(3);
});

test('an array whose dependency fails ends without a task', async ({ world, db }) => {
  const tenantId = await addTenant(world);
  const first = await addJob(world, tenantId);
  const array = await addDependent(world, tenantId, [{ job: first }], { array: { count: 1000 } });
  await finish(world, first, 'exit-code');
  while (await world.tend());
  expect(await viewOf(world, array)).toMatchObject({
    state: 'failed',
    reason: 'dependency-failed',
    tasks: { cancelled: 1000, queued: 0 },
  });
  expect(await db.client.job.count({ where: { arrayId: array } })).toBe(0);
});

test('what is not there, another’s, or can’t come any more is refused at submission', async ({ world, db }) => {
  const tenantId = await addTenant(world);
  const foreign = await addJob(world, await addTenant(world));
  const ended = await addJob(world, tenantId);
  await world.cancel(ended);
  const unknown = newId('job');
  const check = (dependsOn: JobSpec['dependsOn']) =>
    requireDependencies(db.client, tenantId, { name: 'a', command: 'true', dependsOn: dependsOn ?? [] });
  await expect(check([{ job: ended, on: 'end' }, { job: foreign }, { job: unknown }])).rejects.toMatchObject({
    code: 'invalid',
    faults: [
      { pointer: '/dependsOn/1/job', detail: `There is no job ${foreign}.` },
      { pointer: '/dependsOn/2/job', detail: `There is no job ${unknown}.` },
    ],
  });
  await expect(check([{ job: ended }])).rejects.toMatchObject({
    code: 'can-never-start',
    extra: { blockers: [{ code: 'dependency' }] },
  });
  await check([{ job: ended, on: 'end' }]);
});
