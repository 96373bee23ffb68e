import { expect } from 'vitest';
import { countQueued } from '../../src/dispatch/queue-store.ts';
import type { Job } from '../../src/protocol/job.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import { searchJobs } from '../../src/jobs/search-store.ts';
import { findShownJob, readShownJobs } from '../../src/jobs/shown-store.ts';
import { jobView } from '../../src/jobs/view.ts';
import {
  accountsOf,
  addJob,
  addTenant,
  jobOf,
  lastAttempt,
  startAttempt,
  test,
  type StartedAttempt,
  type World,
} from '../instances/world.ts';
import { meetingAtTheRow } from '../support/meeting.ts';

async function viewOf({ db, now }: World, jobId: string): Promise<Job> {
  const row = await findShownJob(db.client, jobId, now());
  if (row === undefined) throw new Error(`no job ${jobId}`);
  return jobView(row, now());
}

/** In the order of their places. */
async function tasksOf({ db, now }: World, array: string): Promise<Job[]> {
  const ids = await searchJobs(db.client, { tenantId: null, array, limit: 1000 });
  const rows = await Array.fromAsync(readShownJobs(db.client, ids, now()));
  return rows.map((row) => jobView(row, now())).toReversed();
}

const eventsOf = async ({ db }: World, jobId: string) =>
  (await db.client.jobEvent.findMany({ where: { jobId }, orderBy: { id: 'asc' } })).flatMap(({ to }) => to ?? []);

/** What the provider of these tests has cores for at once. */
const cores = 4;
const oneCore: Partial<JobSpec> = { resources: { cpus: 1 } };

async function run(world: World, jobId: string): Promise<StartedAttempt> {
  const started = await startAttempt(world, jobId);
  for (const token of started.tokens) await world.beat(token, started.number);
  return started;
}

async function finish(world: World, jobId: string, reason: 'completed' | 'exit-code' | 'runner-error' = 'completed') {
  const { attemptId, number, tokens } = await run(world, jobId);
  for (const token of tokens) await world.end(token, number, reason);
  await world.settle(attemptId);
}

test('a task becomes a job only when it may be next, and the array is one row until then', async ({ world, db }) => {
  const array = await addJob(world, await addTenant(world), { ...oneCore, array: { count: 1000 } });
  expect(await db.client.job.count()).toBe(1);
  expect(await viewOf(world, array)).toMatchObject({ state: 'queued', tasks: { total: 1000, queued: 1000 } });
  await world.tend();
  await world.tend();
  expect(await db.client.job.count({ where: { arrayId: array } })).toBe(50);
  await world.cycle();
  const { provisioning = 0, queued = 0 } = (await viewOf(world, array)).tasks ?? {};
  expect(provisioning).toBeGreaterThan(0);
  expect(provisioning + queued).toBe(1000);
  await world.tend();
  expect(await db.client.job.count({ where: { arrayId: array, state: 'queued' } })).toBe(50);
  expect((await tasksOf(world, array)).map(({ task }) => task?.index)).toEqual(
    Array.from({ length: 50 + provisioning }, (_, index) => index),
  );
});

test('a task’s row has nothing that only its machine needs; its machine is given all of it, and its own values', async ({
  world,
  db,
}) => {
  const spec: Partial<JobSpec> = {
    command: 'python3 train.py',
    files: { 'train.py': 'print()' },
    env: { SEED: '1', lr: 'overridden' },
    labels: { project: 'vision' },
    array: { values: [{ lr: 0.1 }, { lr: 0.01, deep: true, WEIR_ARRAY_INDEX: 'nonsense' }] },
  };
  const array = await addJob(world, await addTenant(world), spec);
  await world.tend();
  const [, second] = await tasksOf(world, array);
  const row = await db.client.job.findUniqueOrThrow({ where: { id: second?.id ?? '' } });
  expect(row.spec).toEqual({ name: 'job', labels: { project: 'vision' } });
  await world.cycle();
  const { instances } = await lastAttempt(world, second?.id ?? '');
  await world.launch(instances[0]?.id ?? '');
  const machine = world.provider.machines.get(instances[0]?.name ?? '');
  const { spec: given } = await world.claim(machine?.bootstrapToken ?? '', 'x'.repeat(32));
  const env = { SEED: '1', lr: '0.01', deep: 'true', WEIR_ARRAY_INDEX: '1', WEIR_ARRAY_COUNT: '2' };
  expect(given).toEqual({ name: 'job', command: spec.command, files: spec.files, labels: spec.labels, env });
  expect((await viewOf(world, second?.id ?? '')).spec).toEqual(given);
});

test('the array runs once a task does, and succeeds with the last of them; it costs what they cost', async ({
  world,
}) => {
  const array = await addJob(world, await addTenant(world), { ...oneCore, array: { count: 3 } });
  await world.tend();
  const [first, second, third] = (await tasksOf(world, array)).map(({ id }) => id);
  const { attemptId, tokens } = await run(world, first ?? '');
  world.advance(10);
  expect(await viewOf(world, array)).toMatchObject({
    state: 'running',
    progress: { done: 0, total: 3, unit: 'tasks' },
    cost: { accruedUsd: 0.1, finalUsd: null },
  });
  await world.end(tokens[0] ?? '', 1);
  await world.settle(attemptId);
  await finish(world, second ?? '');
  expect(await viewOf(world, array)).toMatchObject({ state: 'running', progress: { done: 2, total: 3 } });
  await finish(world, third ?? '');
  const whole = await viewOf(world, array);
  expect(whole).toMatchObject({ state: 'succeeded', reason: 'completed', tasks: { succeeded: 3, queued: 0 } });
  const costs = (await tasksOf(world, array)).map(({ cost }) => cost.finalUsd ?? 0);
  expect(whole.cost).toEqual({
    reservedUsd: 0,
    accruedUsd: whole.cost.finalUsd,
    finalUsd: expect.closeTo(
      costs.reduce((a, b) => a + b),
      6,
    ),
  });
  expect(await eventsOf(world, array)).toEqual(['queued', 'running', 'succeeded']);
});

test('a task that fails for good fails the array in the end, and the others go on; one that is tried again does not', async ({
  world,
}) => {
  const array = await addJob(world, await addTenant(world), { ...oneCore, array: { count: 2 } });
  await world.tend();
  const [first = '', second = ''] = (await tasksOf(world, array)).map(({ id }) => id);
  await finish(world, first, 'exit-code');
  expect(await viewOf(world, array)).toMatchObject({
    state: 'running',
    tasks: { failed: 1, queued: 0, provisioning: 1 },
  });
  const { instances, id } = await lastAttempt(world, second);
  await world.launch(instances[0]?.id ?? '');
  const token = 'y'.repeat(32);
  await world.claim(world.provider.machines.get(instances[0]?.name ?? '')?.bootstrapToken ?? '', token);
  await world.beat(token, 1);
  await world.end(token, 1, 'runner-error');
  await world.settle(id);
  expect((await jobOf(world, second)).state).toBe('queued');
  world.advance(10);
  await finish(world, second);
  expect(await viewOf(world, array)).toMatchObject({
    state: 'failed',
    reason: 'tasks-failed',
    tasks: { succeeded: 1, failed: 1 },
  });
});

test('cancelling an array stops every task, also those that were never made, and pays for what ran', async ({
  world,
}) => {
  const array = await addJob(world, await addTenant(world), { ...oneCore, array: { count: 10_000 } });
  await world.tend();
  const [first = ''] = (await tasksOf(world, array)).map(({ id }) => id);
  const { attemptId, tokens } = await run(world, first);
  world.advance(10);
  await world.beat(tokens[0] ?? '', 1, 'running');
  await world.cancel(array);
  expect((await viewOf(world, array)).state).toBe('stopping');
  await world.cancel(array);
  while (await world.tend());
  for (const wake of new Set(world.woken)) {
    const [step, id = ''] = wake.split(' ');
    if (step === 'settle') {
      world.advance(60);
      await world.settle(id);
    }
  }
  await world.settle(attemptId);
  const whole = await viewOf(world, array);
  expect(whole).toMatchObject({ state: 'cancelled', reason: 'cancelled', tasks: { cancelled: 10_000, queued: 0 } });
  expect(whole.cost.finalUsd).toBeGreaterThan(0);
  expect(await accountsOf(world, first)).toMatchObject({ reserved: 0 });
  expect(await world.tend()).toBe(false);
});

test('cancelling an array twice is cancelling it once', async ({ world }) => {
  const array = await addJob(world, await addTenant(world), { ...oneCore, array: { count: 2 } });
  await world.tend();
  const [first = ''] = (await tasksOf(world, array)).map(({ id }) => id);
  await run(world, first);
  await world.cancel(array);
  await world.cancel(array);
  expect(await eventsOf(world, array)).toEqual(['queued', 'running', 'stopping']);
});

/** An array of two whose tasks have been started, with how their first heartbeats come. */
async function startTwo(world: World): Promise<{ array: string; beats: (() => Promise<unknown>)[] }> {
  const array = await addJob(world, await addTenant(world), { ...oneCore, array: { count: 2 } });
  await world.tend();
  const beats = [];
  for (const { id } of await tasksOf(world, array)) {
    const { tokens, number } = await startAttempt(world, id);
    beats.push(() => world.beat(tokens[0] ?? '', number));
  }
  return { array, beats };
}

test('of two tasks that come to run at the same moment, one makes the array run', async ({ world, db }) => {
  const { array, beats } = await startTwo(world);
  await meetingAtTheRow(db, array, beats);
  expect(await eventsOf(world, array)).toEqual(['queued', 'running']);
});

test('an array that is cancelled as its first task comes to run is stopped', async ({ world, db }) => {
  const { array, beats } = await startTwo(world);
  await meetingAtTheRow(db, array, [() => world.cancel(array), ...beats.slice(1)]);
  expect(await eventsOf(world, array)).toEqual(['queued', 'stopping']);
  await world.tend();
  const states = (await tasksOf(world, array)).map(({ state }) => state);
  expect(states).toEqual(['stopping', 'stopping']);
});

test('an array that is cancelled before any task was made ends at once', async ({ world, db }) => {
  const array = await addJob(world, await addTenant(world), { array: { count: 100_000 } });
  await world.cancel(array);
  expect(await viewOf(world, array)).toMatchObject({ state: 'cancelled', tasks: { cancelled: 100_000 } });
  await world.tend();
  expect(await db.client.job.count()).toBe(1);
});

test('two workers that tend at the same moment make no task twice, and leave none out', async ({ world, db }) => {
  const array = await addJob(world, await addTenant(world), { array: { count: 60 } });
  await Promise.all([world.tend(), world.tend(), world.tend()]);
  const makeRoom = () => db.client.job.updateMany({ where: { arrayId: array }, data: { state: 'running' } });
  do await makeRoom();
  while (await world.tend());
  const rows = await db.client.job.findMany({ where: { arrayId: array }, orderBy: { id: 'asc' } });
  expect(rows.map(({ arrayIndex }) => arrayIndex)).toEqual(Array.from({ length: 60 }, (_, index) => index));
});

test('what is queued behind an array counts its tasks, made or not, and so does the figure beside the cap', async ({
  world,
  db,
}) => {
  const tenantId = await addTenant(world, { caps: { runningJobs: 0 } });
  await addJob(world, tenantId, { ...oneCore, array: { count: 1000 } });
  await world.tend();
  world.advance(1);
  const behind = await addJob(world, tenantId, oneCore);
  await world.cycle();
  expect((await viewOf(world, behind)).waiting).toMatchObject({ position: 1001 });
  expect((await countQueued(db.client, tenantId)).get(tenantId)).toBe(1001);
});

test('caps count tasks one by one', async ({ world }) => {
  const tenantId = await addTenant(world, { caps: { runningJobs: 2 } });
  const array = await addJob(world, tenantId, { ...oneCore, array: { count: cores } });
  await world.tend();
  await world.cycle();
  expect(await viewOf(world, array)).toMatchObject({ state: 'queued', tasks: { provisioning: 2, queued: 2 } });
  expect((await viewOf(world, array)).waiting?.blockers).toMatchObject([{ code: 'cap' }]);
});

test('an array that can’t be unfolded keeps no other from it, and does not keep the workers busy', async ({
  world,
  db,
}) => {
  const tenantId = await addTenant(world);
  const bad = await addJob(world, tenantId, { array: { count: 2 } });
  const good = await addJob(world, tenantId, { array: { count: 2 } });
  // A row that has its place already, as no crash could leave it.
  await db.pool.query(
    `INSERT INTO job (id, tenant_id, name, state, spec, quote_id, options, priority, created_at, queued_at, array_id, array_index)
    SELECT 'job_x', tenant_id, name, 'failed', '{}', quote_id, '[]', priority, created_at, queued_at, $1, 0 FROM job WHERE id = $2`,
    [bad, good],
  );
  expect(await world.tend()).toBe(true);
  expect((await tasksOf(world, good)).map(({ task }) => task?.index)).toEqual([0, 1]);
  expect(world.errors).toHaveLength(1);
  expect(await world.tend()).toBe(false);
});
