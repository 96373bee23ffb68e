import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WeirError } from '../../src/core/errors.ts';
import { newToken } from '../../src/core/tokens.ts';
import { openDatabase, type Database } from '../../src/db/database.ts';
import { isEnd, next } from '../../src/jobs/state.ts';
import type { JobState } from '../../src/protocol/job.ts';
import { createDatabase } from '../support/database.ts';
import { Killed, type Call, type Fault } from './scripted-provider.ts';
import { accountsOf, addJob, addTenant, createWorld, jobOf, type World } from './world.ts';

/** What happens how often. */
const weights = {
  cycle: 9,
  sweep: 6,
  drain: 15,
  launch: 6,
  settle: 9,
  claim: 15,
  beat: 12,
  report: 6,
  advance: 9,
  fault: 6,
  kill: 6,
  cancel: 1,
  vanish: 1,
  linger: 1,
  finishEnding: 2,
  release: 3,
} as const;

type Deed = keyof typeof weights;

const deed = fc.oneof(
  ...Object.entries(weights).map(([name, weight]) => ({ weight, arbitrary: fc.constant(name as Deed) })),
);

/** One thing that happens, and how. `pick` chooses among what there is at that moment, the latest first. */
const happening = fc.record({
  deed,
  pick: fc.oneof(fc.nat(3), fc.nat(99)),
  reason: fc.constantFrom('completed', 'exit-code', 'preemption', 'runner-error'),
  seconds: fc.constantFrom(1, 1, 2, 3, 3, 7, 7, 31, 61, 3700),
  call: fc.constantFrom<Call>('create', 'destroy', 'list'),
  fault: fc.constantFrom<Fault>(
    'no-capacity',
    'unavailable',
    'made-but-unavailable',
    'killed-before',
    'killed-after',
    'slow',
  ),
  death: fc.constantFrom('before', 'after'),
});

type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** Those of a group happen at once; the groups one after the other. */
const story = fc.array(fc.array(happening, { minLength: 1, maxLength: 4 }), {
  minLength: 20,
  maxLength: 45,
  size: 'max',
});

type Deaths = { next: 'before' | 'after' | undefined };

/** A database whose next transaction or statement finds its caller killed, before it or after it. */
function withDeaths(db: Database, deaths: Deaths): Database {
  const mortal = async <T>(work: () => Promise<T>): Promise<T> => {
    const { next: death } = deaths;
    deaths.next = undefined;
    if (death === 'before') throw new Killed();
    const result = await work();
    if (death === 'after') throw new Killed();
    return result;
  };
  const pool = new Proxy(db.pool, {
    get: (target, name: keyof typeof db.pool) =>
      name === 'query' ? (...args: [string]) => mortal(() => target.query(...args)) : target[name],
  });
  return { ...db, pool, transaction: (work) => mortal(() => db.transaction(work)) };
}

type Runner = { name: string; bootstrapToken: string; token: string; attempt: number; hasClaimed: boolean };

type Stage = { world: World; deaths: Deaths; jobIds: string[]; runners: Map<string, Runner>; failures: unknown[] };

/** What may go wrong for a caller: it dies, its provider is away, or it comes too late. */
function isExpected(error: unknown): boolean {
  const codes = ['stale-attempt', 'unauthorized', 'unavailable', 'no-capacity'];
  return error instanceof Killed || (error instanceof WeirError && codes.includes(error.code));
}

/** Every machine there ever was has a runner, which may be heard long after it is gone. */
function meetRunners({ world, runners }: Stage): Runner[] {
  for (const { name, bootstrapToken, labels } of world.provider.machines.values())
    if (!runners.has(name))
      runners.set(name, { name, bootstrapToken, token: newToken(), attempt: labels.attempt, hasClaimed: false });
  return [...runners.values()];
}

function workers(stage: Stage): Runner[] {
  return meetRunners(stage).filter(({ hasClaimed }) => hasClaimed);
}

async function claim({ world }: Stage, runner: Runner): Promise<void> {
  await world.claim(runner.bootstrapToken, runner.token);
  runner.hasClaimed = true;
}

async function drain({ world }: Stage): Promise<void> {
  for (const wish of world.woken.splice(0)) {
    const [step, id = ''] = wish.split(' ');
    await (step === 'launch' ? world.launch(id) : world.settle(id));
  }
}

function one<T>(items: T[], index: number): T | undefined {
  return items.toReversed()[index % Math.max(1, items.length)];
}

const deeds: Record<Deed, (stage: Stage, what: Happening) => unknown> = {
  cycle: ({ world }) => world.cycle(),
  sweep: ({ world }) => world.sweep(),
  drain,
  launch: async ({ world }, what) => {
    const instances = await world.db.client.instance.findMany({ orderBy: { id: 'asc' }, select: { id: true } });
    await world.launch(one(instances, what.pick)?.id ?? '');
  },
  settle: async ({ world }, what) => {
    const attempts = await world.db.client.attempt.findMany({ orderBy: { id: 'asc' }, select: { id: true } });
    await world.settle(one(attempts, what.pick)?.id ?? '');
  },
  claim: async (stage, { pick }) => {
    const runner = one(meetRunners(stage), pick);
    if (runner !== undefined) await claim(stage, runner);
  },
  beat: async (stage, { pick }) => {
    const runner = one(workers(stage), pick);
    if (runner !== undefined) await stage.world.beat(runner.token, runner.attempt);
  },
  report: async (stage, { pick, reason }) => {
    const runner = one(workers(stage), pick);
    if (runner !== undefined) await stage.world.end(runner.token, runner.attempt, reason);
  },
  advance: ({ world }, { seconds }) => world.advance(seconds),
  fault: ({ world }, { call, fault }) => world.provider.fail(call, fault),
  kill: ({ deaths }, { death }) => (deaths.next = death),
  cancel: ({ world, jobIds }, { pick }) => world.cancel(one(jobIds, pick) ?? ''),
  vanish: ({ world }, { pick }) => world.provider.vanish(one([...world.provider.machines.keys()], pick) ?? ''),
  linger: ({ world: { provider } }) => (provider.lingers = !provider.lingers),
  finishEnding: ({ world }) => world.provider.finishEnding(),
  release: ({ world }) => world.provider.release(),
};

/** Begins it and waits for its end, or until it waits for a slow provider. */
async function begin(stage: Stage, what: Happening): Promise<void> {
  const done = Promise.resolve()
    .then(() => deeds[what.deed](stage, what))
    .catch((error: unknown) => {
      if (!isExpected(error)) stage.failures.push(error);
    });
  await Promise.race([done, stage.world.provider.whenSlow()]);
}

/** What holds at every moment, whatever is under way. */
async function expectOrder({ world, jobIds, runners, failures }: Stage): Promise<void> {
  expect(failures).toEqual([]);
  for (const id of jobIds) {
    const { state, attemptNumber, attempts } = await jobOf(world, id);
    const open = attempts.filter(({ finishedAt }) => finishedAt === null).map(({ number }) => number);
    expect(open, `${state} attempts that have not ended`).toEqual(
      state === 'queued' || isEnd(state) ? [] : [attemptNumber],
    );
    const working = [...runners.values()].filter(
      ({ name, hasClaimed }) => hasClaimed && world.provider.machines.get(name)?.labels.job === id,
    );
    expect(new Set(working.map(({ attempt }) => attempt)).size, 'attempts at work').toBeLessThanOrEqual(1);
  }
}

/** The cloud is well again, and the workers go on until everything has ended. */
async function bringToEnd(stage: Stage): Promise<void> {
  const { world, deaths, jobIds } = stage;
  deaths.next = undefined;
  world.provider.heal();
  for (let round = 0; round < 60; round += 1) {
    world.advance(5);
    await world.sweep();
    await world.cycle();
    await drain(stage);
    for (const runner of meetRunners(stage)) {
      const ignore = (error: unknown) => void (isExpected(error) || stage.failures.push(error));
      await claim(stage, runner).catch(ignore);
      await world.beat(runner.token, runner.attempt).catch(ignore);
      await world.end(runner.token, runner.attempt).catch(ignore);
    }
    const jobs = await Promise.all(jobIds.map((id) => jobOf(world, id)));
    if (jobs.every(({ state }) => isEnd(state)) && world.provider.machines.size === 0) return;
  }
}

async function expectEnd({ world, jobIds, failures }: Stage): Promise<void> {
  expect(failures).toEqual([]);
  expect([...world.provider.machines.keys()], 'machines left').toEqual([]);
  for (const id of jobIds) {
    const { state, chargedMicroUsd, reservedMicroUsd, attempts } = await jobOf(world, id);
    const events = await world.db.client.jobEvent.findMany({
      where: { jobId: id, to: { not: null } },
      orderBy: { id: 'asc' },
    });
    const path = events.flatMap(({ to }) => to ?? []);
    path.slice(1).forEach((to, index) => {
      const from = path[index] ?? 'queued';
      expect(next[from] as readonly JobState[], `${from} to ${to}`).toContain(to);
    });
    expect(
      path.filter((to) => isEnd(to)),
      'one end',
    ).toEqual([state]);

    const { available, reserved, spent } = await accountsOf(world, id);
    const used = await world.db.client.usageEntry.aggregate({ where: { jobId: id }, _sum: { microUsd: true } });
    expect({ reserved, sum: available + reserved + spent }).toEqual({ reserved: 0, sum: 0 });
    expect({ reserved: Number(reservedMicroUsd), charged: Number(chargedMicroUsd) }).toEqual({
      reserved: 0,
      charged: spent,
    });
    expect(
      attempts.reduce((sum, { costMicroUsd }) => sum + Number(costMicroUsd), 0),
      'the bill',
    ).toBe(spent);
    expect(Number(used._sum.microUsd ?? 0), 'the use').toBe(spent);
  }
}

async function play(groups: Happening[][]): Promise<void> {
  const { url, drop } = await createDatabase();
  const db = openDatabase(url, 12);
  try {
    const deaths: Deaths = { next: undefined };
    const world = createWorld(withDeaths(db, deaths));
    const tenantId = await addTenant(world, { budget: { totalUsd: 200 } });
    const jobIds = [
      await addJob(world, tenantId),
      await addJob(world, tenantId, { resources: { nodes: 2 }, maxCostUsd: 50, retries: { max: 1 } }),
    ];
    const stage: Stage = { world, deaths, jobIds, runners: new Map(), failures: [] };
    for (const group of groups) {
      await Promise.all(group.map((what) => begin(stage, what)));
      await expectOrder(stage);
    }
    await bringToEnd(stage);
    stage.failures.push(...world.errors.filter((error) => !isExpected(error)));
    await expectEnd(stage);
  } finally {
    await db.close();
    await drop();
  }
}

test('whatever order things happen in, and whoever is killed on the way, each job ends once, paid right and leaving no machine', async () => {
  await fc.assert(fc.asyncProperty(story, play), { numRuns: 25, endOnFailure: true });
}, 300_000);
