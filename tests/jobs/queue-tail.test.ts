import { expect, test as plain } from 'vitest';
import { findShownJob, readShownJobs } from '../../src/jobs/shown-store.ts';
import { behind } from '../../src/jobs/queue-tail.ts';
import { jobView } from '../../src/jobs/view.ts';
import { addJob, addTenant, test } from '../instances/world.ts';

test('jobs behind the head of their tenant’s queue know their place and what those before them wait for', async ({
  world,
}) => {
  const tenantId = await addTenant(world, { caps: { runningJobs: 0 } });
  const ids: string[] = [];
  for (let n = 0; n < 53; n += 1) ids.push(await addJob(world, tenantId));
  await addJob(world, await addTenant(world));
  await world.cycle();
  const [first = '', last = ''] = [ids[0], ids.at(-1)];
  const waitingOf = async (id: string) => {
    const row = await findShownJob(world.db.client, id, world.now());
    return row === undefined ? undefined : jobView(row, world.now()).waiting;
  };
  expect(await waitingOf(first)).toMatchObject({ position: 1, blockers: [{ code: 'cap' }] });
  expect(await waitingOf(last)).toMatchObject({
    position: 53,
    blockers: [{ code: 'cap', message: expect.stringContaining('52 jobs of this tenant are before it.') }],
  });
  // Though a round looks at it now and then, its place is counted: what a round saw would soon be wrong.
  for (let turn = 0; turn < 2; turn += 1) await world.cycle();
  const { waiting } = await world.db.client.job.findUniqueOrThrow({ where: { id: last } });
  expect(waiting).toBeNull();
  const listed = await Array.fromAsync(readShownJobs(world.db.client, [last, ids.at(-2) ?? ''], world.now()));
  expect(listed.map(({ tail }) => tail?.position)).toEqual([53, 52]);
});

plain('the expected start goes on at the pace of the head', () => {
  const head = (minutes: number) => ({
    position: 1,
    eta: { p50: new Date(minutes * 60_000).toISOString(), p90: null },
    blockers: [{ code: 'capacity' as const, message: 'full', unblocks: 'free' }],
  });
  expect(behind(4, [head(10), head(20)])).toMatchObject({
    eta: { p50: new Date(40 * 60_000).toISOString(), p90: null },
  });
  // A gang at the head that starts last of them.
  expect(behind(5, [head(600), head(10), head(20)])).toMatchObject({
    eta: { p50: new Date((600 + 2 * 295) * 60_000).toISOString() },
  });
  expect(behind(1, [])).toEqual({ position: 1, eta: { p50: null, p90: null }, blockers: [] });
});
