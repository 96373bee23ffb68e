import { expect } from 'vitest';
import { recordedRun, replayed } from '../../src/dispatch/history.ts';
import { measureHistory, readHistory } from '../../src/dispatch/history-store.ts';
import { petaflopsOf } from '../../src/dispatch/capacity.ts';
import { simulate } from '../../src/dispatch/simulate.ts';
import { currentPolicies } from '../../src/tenants/policies.ts';
import { addJob, addTenant, jobOf, lastAttempt, test, type World } from '../instances/world.ts';

const capacity = { cpus: 3, memoryBytes: 2 ** 40, diskBytes: 2 ** 40, gpus: { kind: 'none', count: 0 } };

type Planned = { tenant: number; at: number; seconds: number; nodes: number; priority: number };

/** Sixteen jobs of three tenants, of which the first wants most; seconds. */
const planned: Planned[] = Array.from({ length: 16 }, (_, index) => ({
  tenant: index % 5 < 3 ? 0 : index % 3,
  at: index * 45,
  seconds: 100 + ((index * 77) % 500),
  nodes: 1 + (index % 3),
  priority: index % 4 === 0 ? 90 : 50,
}));

/** Lives through them with the service's own verbs, from event to event: they come, start, and end when their time is up. */
async function live(world: World): Promise<void> {
  world.provider.capacity = async () => capacity;
  const tenants = [await addTenant(world, { weight: 2 }), await addTenant(world), await addTenant(world)];
  const waiting = new Map<string, number>();
  const ends = new Map<string, number>();
  const arrivals = [...planned];
  for (let second = 0; arrivals.length + waiting.size + ends.size > 0;) {
    for (const [id, endsAt] of ends) if (endsAt <= second) ends.delete(await finish(world, id));
    for (; arrivals[0] !== undefined && arrivals[0].at <= second; arrivals.shift()) {
      const [{ tenant, seconds, nodes, priority }] = arrivals as [Planned];
      waiting.set(await addJob(world, tenants[tenant] ?? '', { resources: { nodes }, priority }), seconds);
    }
    await world.cycle();
    for (const { id } of await world.db.client.job.findMany({
      where: { state: 'provisioning', id: { in: [...waiting.keys()] } },
    })) {
      for (const instance of (await lastAttempt(world, id)).instances) await world.launch(instance.id);
      ends.set(id, second + (waiting.get(id) ?? 0));
      waiting.delete(id);
    }
    const next = Math.min(arrivals[0]?.at ?? Infinity, ...ends.values());
    if (next === Infinity && waiting.size > 0) throw new Error('what waits will never start');
    if (next === Infinity) return;
    world.advance(next - second);
    second = next;
  }
}

async function finish(world: World, id: string): Promise<string> {
  const { id: attemptId, instances } = await lastAttempt(world, id);
  await world.cancel(id);
  // Gone, so that its settling has nothing to wait for.
  for (const { name } of instances) world.provider.vanish(name);
  for (let tries = 0; (await jobOf(world, id)).state !== 'cancelled' && tries < 3; tries += 1)
    await world.settle(attemptId);
  return id;
}

test('a simulation starts the recorded jobs in the order in which the service did', async ({ world }) => {
  await live(world);
  const around = {
    capacities: new Map([[world.provider.name, capacity]]),
    petaflopsPerAccelerator: () => 1,
    now: world.now(),
  };
  const period = { from: new Date(0), to: world.now() };
  const history = await readHistory(world.db.client, period);
  const options = history.reduce((sum, job) => sum + job.options.length, 0);
  expect(await measureHistory(world.db.client, period, 1000)).toEqual({ jobs: planned.length, options });
  expect(history).toHaveLength(planned.length);
  const runs = simulate({
    jobs: history.map((job) => replayed(job, around)),
    capacities: around.capacities,
    policies: await currentPolicies(world.db.client),
    poolPolicy: {},
    poolPetaflops: petaflopsOf(around.capacities, () => 1),
  });
  const firstOf = (all: typeof runs) => all.map(({ jobId, stretches: [first] }) => [jobId, first?.startedAt] as const);
  const recorded = firstOf(history.map((job) => recordedRun(job, around)));
  expect(new Map(firstOf(runs))).toEqual(new Map(recorded));
});
