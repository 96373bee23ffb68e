import { expect, test as plain } from 'vitest';
import { whyAhead, type Standing } from '../../src/dispatch/ahead.ts';
import { createPoolCapacity } from '../../src/dispatch/pool-capacity.ts';
import { createReadQueue } from '../../src/dispatch/queue.ts';
import { createReadQuotas } from '../../src/dispatch/quotas.ts';
import { listInstances } from '../../src/instances/list-store.ts';
import { instanceView } from '../../src/instances/view.ts';
import { addJob, addTenant, hourlyUsd, lastAttempt, test, type World } from '../instances/world.ts';

const whole = { cpus: 8, memoryBytes: 2 ** 34, diskBytes: 2 ** 34, gpus: { kind: 'none', count: 0 } };
const capacities = async () => new Map([['scripted', whole]]);

const quotasOf = ({ db, now }: World) => createReadQuotas({ db, now, capacities, petaflopsPerAccelerator: () => 0.5 });

test('the queue is in the order of expected starts, and says why each is ahead of the next', async ({ world }) => {
  const closed = { caps: { runningJobs: 0 } };
  const [a, b] = [await addTenant(world, { ...closed, guaranteed: { cpu: 4 } }), await addTenant(world, closed)];
  const late = await addJob(world, b);
  const [ordinary, urgent] = [await addJob(world, a), await addJob(world, a, { priority: 90 })];
  world.advance(1);
  const later = await addJob(world, a);
  await world.cycle();
  const read = createReadQueue(world);
  const queue = await read({ tenantId: null, after: undefined, limit: 50 });
  expect(queue.items.map(({ job }) => job.id)).toEqual([urgent, ordinary, later, late]);
  expect(queue.items.map(({ because }) => because)).toEqual([
    'Of one tenant, priority 90 goes before 50.',
    'Of one tenant and priority, who came first goes first.',
    `${a} is below its guarantee, and ${b} is not: what is guaranteed goes before all else.`,
    null,
  ]);
  expect(queue.items[0]?.job.waiting).toMatchObject({ position: 1, blockers: [{ code: 'cap' }] });
  expect(queue.tenants.toSorted((x, y) => (x.turn ?? 0) - (y.turn ?? 0))).toEqual([
    { tenant: { id: a, name: a }, queued: 3, turn: 1, isGuaranteed: true, usePerWeight: 0 },
    { tenant: { id: b, name: b }, queued: 1, turn: 2, isGuaranteed: false, usePerWeight: 0 },
  ]);
  expect(queue.dispatchedAt).toBe(world.now().toISOString());

  const first = await read({ tenantId: a, after: undefined, limit: 2 });
  expect([first.items.map(({ job }) => job.id), first.lastId]).toEqual([[urgent, ordinary], ordinary]);
  const second = await read({ tenantId: a, after: ordinary, limit: 2 });
  expect([second.items.map(({ job }) => job.id), second.lastId]).toEqual([[later], undefined]);
  expect(second.tenants.map(({ tenant }) => tenant.id)).toEqual([a]);
});

test('of a queue that goes on behind what is shown of it, no job is said to be the last', async ({ world }) => {
  const tenant = await addTenant(world, { caps: { runningJobs: 0 } });
  for (let at = 0; at < 50; at++) await addJob(world, tenant);
  const read = createReadQueue(world);
  const lastOf = async (tenantId: string | null) =>
    (await read({ tenantId, after: undefined, limit: 100 })).items.at(-1)?.because;
  expect(await lastOf(null)).toBeNull();
  await addJob(world, tenant);
  expect(await lastOf(null)).toBe('More wait behind it: the queue of one tenant shows them all.');
  expect(await lastOf(tenant)).toBeNull();
});

plain('between tenants, use by weight decides, and what is expected later does not hide behind it', () => {
  const standings: Standing[] = [
    { tenant: 'a', isGuaranteed: false, usePerWeight: 0.25 },
    { tenant: 'b', isGuaranteed: false, usePerWeight: 1.23456 },
  ];
  const known = {
    standingOf: (id: string) => standings.find(({ tenant }) => tenant === id),
    nameOf: (id: string) => id,
  };
  const job = (tenantId: string) => ({ tenantId, priority: 50, queuedAt: new Date(0), eta: null });
  expect(whyAhead(job('a'), job('b'), known)).toBe(
    'a has used 250 TFLOP/s-days by weight lately, b 1.23 PFLOP/s-days: who has used less goes first.',
  );
  expect(whyAhead(job('b'), job('a'), known)).toContain('It would be the turn of a');
  expect(whyAhead(job('a'), job('new'), known)).toContain('not looked at');
});

test('a tenant sees what it holds, borrows and lends, and a machine what it costs', async ({ world }) => {
  const lender = await addTenant(world, { guaranteed: { cpu: 6 }, lending: { cpu: 4 }, caps: { runningJobs: 9 } });
  const borrower = await addTenant(world, { guaranteed: { cpu: 1 }, borrowing: { cpu: 5 } });
  const jobs: string[] = [];
  for (let n = 0; n < 4; n += 1) jobs.push(await addJob(world, borrower));
  await world.cycle();
  const quotas = quotasOf(world);
  expect((await quotas(borrower)).items).toEqual([
    { kind: 'cpu', held: 4, guaranteed: 1, borrowed: 3, lent: 0, borrowingLimit: 5, lendingLimit: null, cap: null },
  ]);
  // Of eight cores four are held, and six that are guaranteed are idle: two of those can't be free.
  const { items, runningJobs, computePflops } = await quotas(lender);
  expect(items).toMatchObject([{ kind: 'cpu', held: 0, guaranteed: 6, borrowed: 0, lent: 2, lendingLimit: 4 }]);
  expect([runningJobs, computePflops]).toEqual([{ held: 0, cap: 9 }, { held: 0, cap: null }]); // prettier-ignore
  expect((await quotas(borrower)).computePflops.held).toBe(2);

  const capacity = await createPoolCapacity({ ...world, capacities })();
  expect(capacity.providers).toMatchObject([
    { provider: 'scripted', whole: { cpus: 8 }, free: { cpus: 4 }, held: [{ kind: 'cpu', count: 4 }], instances: 4 },
  ]);

  const { id: attemptId, instances } = await lastAttempt(world, jobs[0] ?? '');
  await world.launch(instances[0]?.id ?? '');
  world.advance(100);
  const read = async () => {
    const filter = { states: ['requested', 'booting', 'ready'] as const, provider: 'scripted', tenantId: borrower };
    const rows = await listInstances(world.db.client, {
      ...filter,
      states: [...filter.states],
      after: undefined,
      take: 10,
    });
    return rows.map((row) => instanceView(row, world.now())).find(({ job }) => job === jobs[0]);
  };
  expect(await read()).toMatchObject({
    state: 'booting',
    machineType: 'this-machine',
    hourlyUsd,
    ageSeconds: 100,
    costUsd: 1,
    residualUsd: 0,
  });
  await world.cancel(jobs[0] ?? '');
  world.advance(50);
  expect(await read()).toMatchObject({ costUsd: 1.5, residualUsd: 0.5 });
  expect(attemptId).toMatch(/^att_/);
});

test('a ware that could not be had shows as a shortage', async ({ world }) => {
  const job = await addJob(world, await addTenant(world));
  await world.cycle();
  world.provider.fail('create', 'no-capacity');
  await world.launch((await lastAttempt(world, job)).instances[0]?.id ?? '');
  const { shortages } = await createPoolCapacity({ ...world, capacities })();
  expect(shortages).toMatchObject([{ provider: 'scripted', cause: 'stockout', at: world.now().toISOString() }]);
  expect(Date.parse(shortages[0]?.askedAgainAt ?? '')).toBeGreaterThan(world.now().getTime());
});
