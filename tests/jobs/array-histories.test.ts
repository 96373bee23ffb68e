import fc from 'fast-check';
import { expect } from 'vitest';
import { findShownJob } from '../../src/jobs/shown-store.ts';
import { endStates } from '../../src/jobs/state.ts';
import { jobView } from '../../src/jobs/view.ts';
import type { Job } from '../../src/protocol/job.ts';
import { newToken } from '../../src/core/tokens.ts';
import { addJob, addTenant, test, type World } from '../instances/world.ts';

type Deed = 'tend' | 'cycle' | 'succeed' | 'fail' | 'lose' | 'cancel task' | 'cancel array' | 'later';

const deeds = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Deed>('tend', 'cycle', 'succeed') },
    { weight: 2, arbitrary: fc.constantFrom<Deed>('fail', 'lose', 'later') },
    { weight: 1, arbitrary: fc.constantFrom<Deed>('cancel task', 'cancel array') },
  ),
  { minLength: 5, maxLength: 15 },
);

async function arrayOf({ db, now }: World, array: string): Promise<Job> {
  const row = await findShownJob(db.client, array, now());
  if (row === undefined) throw new Error(`no job ${array}`);
  return jobView(row, now());
}

const livingTask = ({ db }: World, array: string, states: Job['state'][]) =>
  db.client.job.findFirst({ where: { arrayId: array, state: { in: states } }, orderBy: { id: 'asc' } });

/** Brings a task that was started to its end, as its runner would. */
async function end(world: World, array: string, reason: 'completed' | 'exit-code' | 'runner-error'): Promise<void> {
  const task = await livingTask(world, array, ['provisioning']);
  if (task === null) return;
  const attempt = await world.db.client.attempt.findFirstOrThrow({
    where: { jobId: task.id },
    orderBy: { number: 'desc' },
    include: { instances: true },
  });
  const token = newToken();
  for (const { id, name } of attempt.instances) {
    await world.launch(id);
    await world.claim(world.provider.machines.get(name)?.bootstrapToken ?? '', token);
  }
  await world.beat(token, attempt.number);
  world.advance(1);
  await world.end(token, attempt.number, reason);
  await world.settle(attempt.id);
}

async function settleAll({ db, settle, advance }: World): Promise<void> {
  advance(60);
  for (const { id } of await db.client.attempt.findMany({ where: { state: 'stopping' } })) await settle(id);
}

async function carryOut(world: World, array: string, deed: Deed): Promise<unknown> {
  switch (deed) {
    case 'tend':
      return world.tend();
    case 'cycle':
      return world.cycle();
    case 'succeed':
      return end(world, array, 'completed');
    case 'fail':
      return end(world, array, 'exit-code');
    case 'lose':
      return end(world, array, 'runner-error');
    case 'cancel task':
      return world.cancel((await livingTask(world, array, ['queued', 'provisioning']))?.id ?? '');
    case 'cancel array':
      return world.cancel(array);
    case 'later':
      return settleAll(world);
  }
}

test('whatever happens to tasks in whatever order, an array’s counts are those of its tasks, and it ends with them', async ({
  world,
}) => {
  await fc.assert(
    fc.asyncProperty(deeds, fc.integer({ min: 1, max: 4 }), async (history, count) => {
      const tenantId = await addTenant(world);
      const array = await addJob(world, tenantId, { array: { count }, resources: { cpus: 1 } });
      for (const deed of [...history, ...drain(count)]) {
        await carryOut(world, array, deed);
        await expectConsistent(world, array, count);
      }
      expect(endStates).toContain((await arrayOf(world, array)).state);
    }),
    { numRuns: 3 },
  );
}, 60_000);

/** Enough of everything that every task comes to its end. */
function drain(count: number): Deed[] {
  return Array.from({ length: 2 * count + 2 }, (): Deed[] => ['later', 'tend', 'cycle', 'succeed', 'later']).flat();
}

async function expectConsistent(world: World, array: string, count: number): Promise<void> {
  const { tasks, state, cost } = await arrayOf(world, array);
  const rows = await world.db.client.job.findMany({ where: { arrayId: array } });
  const { total = 0, queued = 0, ...started } = tasks ?? {};
  expect([total, queued + Object.values(started).reduce((sum, each) => sum + each, 0)]).toEqual([count, count]);
  for (const name of ['provisioning', 'running', 'stopping', 'succeeded', 'failed'] as const)
    expect([name, rows.filter((row) => row.state === name).length]).toEqual([name, tasks?.[name]]);
  const hasEnded = endStates.some((end_) => end_ === state);
  expect(hasEnded).toBe((tasks?.succeeded ?? 0) + (tasks?.failed ?? 0) + (tasks?.cancelled ?? 0) === count);
  const charged = rows.reduce((sum, { chargedMicroUsd }) => sum + Number(chargedMicroUsd), 0);
  if (hasEnded) expect(cost.finalUsd).toBeCloseTo(charged / 1e6, 6);
}
