import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { simulate } from '../../src/dispatch/simulate.ts';
import type { Run, Scenario } from '../../src/dispatch/simulate-jobs.ts';
import { measureOf, outcomeOf } from '../../src/dispatch/simulate-outcome.ts';
import { givenCapacities, givenJobs } from '../../src/dispatch/simulate-request.ts';
import type { Policy } from '../../src/protocol/tenant.ts';
import { shareOut } from '../../src/dispatch/simulate-fairness.ts';
import { anyJobs, scenario, simulated, starts } from './simulations.ts';
import { minute } from './snapshots.ts';

test('jobs start when they fit, in the order of decide, and what they used decides who is next', () => {
  const jobs = [
    simulated('a1', 'a', { cpus: 4 }),
    simulated('a2', 'a', { cpus: 4, at: 1 }),
    simulated('b1', 'b', { cpus: 4, at: 2 }),
  ];
  expect(starts(simulate(scenario(jobs)))).toEqual(['a1 0', 'b1 10', 'a2 20']);
  expect(starts(simulate(scenario(jobs, { order: 'fifo' })))).toEqual(['a1 0', 'a2 10', 'b1 20']);
});

test('what runs counts from its start; without the entry charge a burst takes all', () => {
  const jobs = ['a', 'b'].flatMap((id) => [1, 2, 3, 4].map((n) => simulated(`${id}${n}`, id)));
  const first = (order: Scenario['order'] & string) => starts(simulate(scenario(jobs, { order }))).slice(0, 4);
  expect(first('weir')).toEqual(['a1 0', 'b1 0', 'a2 0', 'b2 0']);
  expect(first('no-entry-charge')).toEqual(['a1 0', 'a2 0', 'a3 0', 'a4 0']);
});

test('a small job passes a large one that waits only where it is expected to end before it could start', () => {
  const jobs = [
    simulated('half', 'a', { cpus: 2, minutes: 10 }),
    simulated('whole', 'b', { cpus: 4, at: 1 }),
    simulated('long', 'c', { cpus: 1, minutes: 30, at: 2 }),
    simulated('short', 'c', { cpus: 1, minutes: 5, at: 3 }),
  ];
  expect(starts(simulate(scenario(jobs)))).toEqual(['half 0', 'short 3', 'whole 10', 'long 20']);
  expect(starts(simulate(scenario(jobs, { backfill: false })))).toEqual(['half 0', 'whole 10', 'long 20', 'short 20']);
});

test('a gang that waits keeps its reservation, though it is another tenant’s turn: streams of small jobs do not starve it', () => {
  const stream = (tenantId: string, count: number, minutes: number) =>
    Array.from({ length: count }, (_, index) =>
      simulated(`${tenantId}${index}`, tenantId, { minutes: minutes + 0.1 * (index % 7) }),
    );
  const gang = simulated('gang', 'a', { at: 20, cpus: 10, minutes: 10, priority: 100 });
  const runs = simulate(scenario([...stream('a', 300, 1), ...stream('b', 40, 10), gang], { cpus: 10 }));
  const [first] = runs.find(({ jobId }) => jobId === 'gang')?.stretches ?? [];
  // What ran when it came has ended by then.
  expect(first?.startedAt).toBeLessThanOrEqual(31 * minute);
});

test('a budget holds until the month turns, and money is counted as the ledger does', () => {
  const jobs = [
    simulated('a1', 'a', { hourlyUsd: 6, minutes: 60 }),
    simulated('a2', 'a', { hourlyUsd: 6, minutes: 60 }),
  ];
  const runs = simulate(scenario(jobs, { policies: new Map([['a', { budget: { monthlyUsd: 10 } }]]) }));
  // 1970 began with the month of the first; the second waits for February.
  expect(starts(runs)).toEqual(['a1 0', `a2 ${31 * 24 * 60}`]);
  expect(runs.map(({ microUsd }) => microUsd)).toEqual([6_000_000, 6_000_000]);
});

test('a hard share cap holds until own use leaves the window', () => {
  const jobs = [simulated('a1', 'a', { cpus: 4, minutes: 60 }), simulated('a2', 'a', { cpus: 4, minutes: 60, at: 60 })];
  const policies = new Map([['a', { shareCap: { share: 0.9, window: '12h', mode: 'hard' as const } }]]);
  const [first, second] = simulate(scenario(jobs, { policies }));
  expect(first?.stretches).toHaveLength(1);
  expect((second?.stretches[0]?.startedAt ?? 0) / 3_600_000).toBeGreaterThanOrEqual(12);
});

test('a guarantee is taken back from a borrower, who goes on at its place and does again what no checkpoint holds', () => {
  const borrowed = (checkpointEveryMs?: number) => ({
    ...simulated('borrowed', 'a', { cpus: 4, minutes: 60 }),
    ...(checkpointEveryMs === undefined ? {} : { checkpointEveryMs }),
  });
  const own = simulated('own', 'b', { cpus: 4, minutes: 10, at: 25 });
  const behind = simulated('behind', 'a', { cpus: 4, minutes: 10, at: 1 });
  const policies = new Map([['b', { guaranteed: { cpu: 4 } }]]);
  const run = (job: ReturnType<typeof borrowed>, minRuntime: string) => {
    const runs = simulate(scenario([job, behind, own], { policies, poolPolicy: { minRuntime } }));
    const [first] = runs;
    return { order: starts(runs), wasted: (first?.wastedMs ?? 0) / 60_000, stretches: first?.stretches.length };
  };
  const whole = run(borrowed(), '1m');
  expect(whole).toMatchObject({ stretches: 2, wasted: expect.closeTo(25, 0) });
  const kept = run(borrowed(600_000), '1m');
  expect(kept).toMatchObject({ stretches: 2, wasted: expect.closeTo(5, 0) });
  // The one that was submitted behind it has not passed it.
  const behindAt = ({ order }: typeof whole) => Number(order.find((each) => each.startsWith('behind'))?.split(' ')[1]);
  expect(behindAt(kept)).toBeGreaterThanOrEqual(75);
  expect(behindAt(whole)).toBeGreaterThanOrEqual(95);
  expect(run(borrowed(), '3h')).toMatchObject({ stretches: 1, wasted: 0 });
});

test('what can never start is told, and holds up nobody else', () => {
  const jobs = [simulated('huge', 'a', { cpus: 5 }), simulated('b1', 'b')];
  const runs = simulate(scenario(jobs));
  expect(starts(runs)).toEqual(['b1 0']);
  expect(outcomeOf(runs, { weightOf: () => 1, poolPetaflops: 4 })).toMatchObject({ jobs: 2, unstarted: 1 });
});

test('what can never start holds up nobody either where nothing is passed', () => {
  const jobs = [simulated('a huge one', 'a', { cpus: 5 }), simulated('b1', 'b'), simulated('b2', 'b')];
  const runs = simulate(scenario(jobs, { order: 'fifo', backfill: false }));
  expect(starts(runs)).toEqual(['b1 0', 'b2 0']);
  expect(runs.at(-1)).toMatchObject({ jobId: 'a huge one', stretches: [] });
});

test('a provider that does not run out has every kind of accelerator, and no figure of utilization', () => {
  const from = scenario([simulated('a1', 'a', { gpus: 8 })], { capacities: new Map([['local', undefined]]) });
  const runs = simulate(from);
  expect(starts(runs)).toEqual(['a1 0']);
  expect(outcomeOf(runs, measureOf(from)).utilization).toBe(null);
});

test('what an idle tenant is guaranteed and does not lend is kept free for it', () => {
  const jobs = [simulated('a1', 'a', { cpus: 2 }), simulated('a2', 'a', { cpus: 2 })];
  const startsOf = (lending?: { cpu: number }) =>
    starts(simulate(scenario(jobs, { policies: new Map([['idle', { guaranteed: { cpu: 2 }, ...(lending && { lending }) }]]) }))); // prettier-ignore
  expect(startsOf()).toEqual(['a1 0', 'a2 0']);
  expect(startsOf({ cpu: 0 })).toEqual(['a1 0', 'a2 10']);
});

test('who has run for minRuntime makes way then, though nothing else happens', () => {
  const jobs = [
    simulated('borrowed', 'a', { cpus: 4, minutes: 600 }),
    simulated('own', 'b', { cpus: 4, minutes: 10, at: 25 }),
  ];
  const policies = new Map([['b', { guaranteed: { cpu: 4 } }]]);
  const [borrowed, own] = simulate(scenario(jobs, { policies, poolPolicy: { minRuntime: '1h' } }));
  expect(borrowed?.stretches).toHaveLength(2);
  expect((own?.stretches[0]?.startedAt ?? 0) / 60_000).toBeCloseTo(60, 0);
});

test('a month’s budget holds where several jobs run across its turn, whatever else happens meanwhile', () => {
  const january31 = Date.UTC(2026, 0, 31, 12) / 60_000;
  const paid = (id: string, at: number, hours: number) =>
    simulated(id, 'a', { at: january31 + at * 60, minutes: hours * 60, hourlyUsd: 10 });
  const jobs = [paid('a1', 0, 48), paid('a2', 0, 48), paid('a3', 32, 40)];
  const others = Array.from({ length: 40 }, (_, hour) =>
    simulated(`z${hour}`, 'z', { at: january31 + hour * 60, minutes: 1 }),
  );
  const policies = new Map([['a', { budget: { monthlyUsd: 1000 } }]]);
  const startOfLast = (also: typeof others) => {
    const run = simulate(scenario([...jobs, ...also], { cpus: 100, policies })).find(({ jobId }) => jobId === 'a3');
    return ((run?.stretches[0]?.startedAt ?? 0) / 60_000 - january31) / 60;
  };
  // Of February's 1000 dollars the first two take 720, and the third would reserve 400: it waits for March.
  expect(startOfLast([])).toBe(28.5 * 24);
  expect(startOfLast(others)).toBe(28.5 * 24);
});

test('policies hold priorities to their ceiling, and jobs to their providers and regions, those of organisations too', () => {
  const jobs = [
    simulated('first', 'a', { cpus: 4 }),
    simulated('urgent', 'a', { cpus: 4, at: 1, priority: 90 }),
    simulated('elsewhere', 'b', { cpus: 4, at: 2 }),
    simulated('abroad', 'c', { cpus: 4, at: 3 }),
  ].map((job) => ({ ...job, choices: job.choices.map((choice) => ({ ...choice, region: 'here' })) }));
  const behind = simulated('behind', 'a', { cpus: 4, at: 0.5 });
  const policies = new Map<string, Policy>([
    ['lab', { priorityCeiling: 50 }],
    ['a', { parent: 'lab' }],
    ['b', { providers: ['moon'] }],
    ['c', { regions: ['there'] }],
  ]);
  expect(starts(simulate(scenario([...jobs, behind], { policies })))).toEqual(['first 0', 'behind 10', 'urgent 20']);
  const free = simulate(scenario([...jobs, behind])).map(({ jobId }) => jobId);
  expect(free.indexOf('urgent')).toBeLessThan(free.indexOf('behind'));
  expect(free).toHaveLength(5);
});

test('a given job runs on the first provider that its tenant’s policy allows', () => {
  const capacities = givenCapacities(['one', 'two'].map((provider) => ({ provider, cpus: 4 })));
  const job = { tenant: 'a', submittedAt: '2026-11-01T09:00:00Z', durationSeconds: 600 };
  const providerOf = (policy: Policy) =>
    givenJobs([job], { capacities, policies: new Map([['a', policy]]), petaflopsPerAccelerator: () => 1 })[0]
      ?.choices[0]?.provider;
  expect([providerOf({}), providerOf({ providers: ['two'] })]).toEqual(['one', 'two']);
});

test('figures of a replay: waits, use, concentration and how fair it was', () => {
  const jobs = [simulated('a1', 'a', { cpus: 4 }), simulated('b1', 'b', { cpus: 4, hourlyUsd: 60 })];
  const outcome = outcomeOf(simulate(scenario(jobs)), { weightOf: () => 1, poolPetaflops: 4 });
  expect(outcome).toMatchObject({
    jobs: 2,
    waitSeconds: { mean: 300, p50: 0, max: 600 },
    makespanSeconds: 1200,
    acceleratorHours: 4 / 3,
    costUsd: 10,
    utilization: 1,
    concentration: { hhi: 0.5, effectiveTenants: 2 },
    dailyHhi: 0.5,
    fairnessError: 0,
  });
  expect(outcome.tenants.map(({ tenant, share }) => [tenant, share])).toEqual([['a', 0.5], ['b', 0.5]]); // prettier-ignore
});

test('who wants less than its part leaves the rest to the others, by weight', () => {
  const wanted = new Map([['a', 1], ['b', 10], ['c', 10]]); // prettier-ignore
  const weights: Record<string, number> = { a: 1, b: 1, c: 2 };
  expect([...shareOut(10, wanted, (id) => weights[id] ?? 1)]).toEqual([['a', 1], ['c', 6], ['b', 3]]); // prettier-ignore
});

describe('for every trace', () => {
  const of = (check: (runs: Run[], from: Scenario) => void) =>
    fc.assert(
      fc.property(anyJobs, fc.constantFrom('weir', 'no-entry-charge', 'fifo'), (jobs, order) => {
        const from = scenario(jobs, { gpus: 4, order });
        check(simulate(from), from);
      }),
      { numRuns: 60 },
    );

  test('every job runs once, to its end, never before it was submitted', () => {
    of((runs, { jobs }) => {
      expect(runs.map(({ jobId }) => jobId).toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
      for (const { jobId, stretches, submittedAt } of runs) {
        const job = jobs.find(({ id }) => id === jobId);
        const [only] = stretches;
        expect(stretches).toHaveLength(1);
        expect(only?.startedAt).toBeGreaterThanOrEqual(submittedAt);
        expect((only?.endedAt ?? 0) - (only?.startedAt ?? 0)).toBe(job?.choices[0]?.actualMs);
      }
    });
  });

  test('what runs at one moment never takes more than there is', () => {
    of((runs, { jobs }) => {
      const needOf = new Map(jobs.map(({ id, choices: [choice] }) => [id, choice?.need]));
      for (const { stretches } of runs) {
        const at = stretches[0]?.startedAt ?? 0;
        const taken = runs.filter(
          ({ stretches: [one] }) => one !== undefined && one.startedAt <= at && at < one.endedAt,
        );
        expect(taken.reduce((sum, { jobId }) => sum + (needOf.get(jobId)?.cpus ?? 0), 0)).toBeLessThanOrEqual(4);
        expect(taken.reduce((sum, { jobId }) => sum + (needOf.get(jobId)?.gpus.count ?? 0), 0)).toBeLessThanOrEqual(4);
      }
    });
  });

  test('the same trace gives the same starts, in whatever order its jobs are listed', () => {
    of((runs, from) => {
      expect(simulate({ ...from, jobs: from.jobs.toReversed() })).toEqual(runs);
    });
  });
});
