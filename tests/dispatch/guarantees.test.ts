import { describe, expect, test } from 'vitest';
import { decide } from '../../src/dispatch/decide.ts';
import { choice, job, minute, pool, running, snapshot, tenant } from './snapshots.ts';
import { blocked, cores, preempted, sized, started } from './words.ts';

describe('guaranteed capacity', () => {
  test('a tenant below its guarantee comes before one that has used less', () => {
    const queued = [job('a1', 'a'), job('b1', 'b')];
    const tenants = [tenant('a'), tenant('b', { decayedUse: 1000, quotas: cores(1) })];
    expect(started(decide(snapshot({ queued, tenants, pools: [pool({ cpus: 1 })] })))).toEqual(['b1']);
  });

  test('beyond its guarantee it takes its turn again', () => {
    const queued = [job('a1', 'a'), job('b1', 'b'), job('b2', 'b', { queuedAt: 1 })];
    const tenants = [tenant('a'), tenant('b', { decayedUse: 1000, quotas: cores(1) })];
    expect(started(decide(snapshot({ queued, tenants, pools: [pool({ cpus: 2 })] })))).toEqual(['b1', 'a1']);
  });

  test('beyond what it may borrow it waits though machines are idle', () => {
    const queued = [1, 2, 3, 4].map((n) => job(`a${n}`, 'a', { queuedAt: n }));
    const decisions = decide(snapshot({ queued, tenants: [tenant('a', { quotas: cores(1, { borrowing: 1 }) })] }));
    expect(started(decisions)).toEqual(['a1', 'a2']);
    expect(blocked(decisions)).toEqual(['a3: quota', 'a4: quota']);
  });

  test('idle, it is lent; what its tenant does not lend stays free', () => {
    const queued = [1, 2, 3, 4].map((n) => job(`a${n}`, 'a', { queuedAt: n }));
    const owner = (lending: number) => tenant('b', { quotas: cores(3, { lending }) });
    expect(started(decide(snapshot({ queued, tenants: [tenant('a'), owner(3)] })))).toHaveLength(4);
    const kept = decide(snapshot({ queued, tenants: [tenant('a'), owner(1)] }));
    expect(started(kept)).toEqual(['a1', 'a2']);
    expect(blocked(kept)).toEqual(['a3: quota', 'a4: quota']);
  });

  test('it is kept once, wherever that is, and not by each provider', () => {
    const keeper = tenant('owner', { quotas: cores(4, { lending: 0 }) });
    const pools = [pool(), pool({ provider: 'other' })];
    const queued = [0, 1, 2, 3, 4].map((n) =>
      job(`x${n}`, 'x', { queuedAt: n, choices: [choice(), choice({ provider: 'other' })] }),
    );
    const decisions = decide(snapshot({ queued, tenants: [keeper, tenant('x')], pools }));
    expect(started(decisions)).toEqual(['x0', 'x1', 'x2', 'x3']);
    expect(decisions.starts.every((start) => start.choice.provider === 'local')).toBe(true);
  });

  test('what its tenant uses itself need not be kept free', () => {
    const queued = [1, 2, 3].map((n) => job(`a${n}`, 'a', { queuedAt: n }));
    const owner = tenant('b', { quotas: cores(3, { lending: 1 }), accelerators: { cpu: 2 } });
    expect(
      started(decide(snapshot({ queued, tenants: [tenant('a'), owner], pools: [pool({ cpus: 3 })] }))),
    ).toHaveLength(3);
  });
});

describe('preemption', () => {
  const owner = tenant('owner', { quotas: cores(2), decayedUse: 50 });
  const borrower = (used: number) => tenant('x', { accelerators: { cpu: used }, running: used });
  const lends = (id: string, overrides: Parameters<typeof running>[3] = {}) =>
    running(id, 'x', 60 * minute, { startedAt: -30 * minute, ...overrides });
  const asks = (overrides: Parameters<typeof snapshot>[0]) =>
    snapshot({ queued: [job('o1', 'owner', sized(2))], pools: [pool({ cpus: 0 })], ...overrides });

  test('guaranteed capacity comes back from those who lose least since their last checkpoint', () => {
    const jobs = [
      lends('long'),
      lends('saved', { checkpointedAt: -1 * minute }),
      lends('late', { startedAt: -2 * minute }),
    ];
    const decisions = decide(asks({ tenants: [owner, borrower(3)], running: jobs }));
    expect(preempted(decisions)).toEqual(['late for o1', 'saved for o1']);
    expect(decisions.preemptions.find(({ jobId }) => jobId === 'saved')?.lostMs).toBe(minute);
    expect(blocked(decisions)).toEqual(['o1: capacity']);
  });

  test('no job before its minimum runtime', () => {
    const from = asks({ tenants: [owner, borrower(2)], running: [lends('r1'), lends('r2', { startedAt: -minute })] });
    const rules = { ...from.rules, minRuntimeMs: 5 * minute };
    expect(preempted(decide({ ...from, rules }))).toEqual([]);
  });

  test('none of a tenant within its own guarantee', () => {
    const guaranteed = { ...borrower(2), quotas: cores(2) };
    expect(preempted(decide(asks({ tenants: [owner, guaranteed], running: [lends('r1'), lends('r2')] })))).toEqual([]);
  });

  test('none for a job beyond the guarantee', () => {
    const queued = [job('o1', 'owner', sized(3))];
    const jobs = [lends('r1'), lends('r2'), lends('r3')];
    expect(preempted(decide(asks({ queued, tenants: [owner, borrower(3)], running: jobs })))).toEqual([]);
  });

  test('no more than is needed, and nobody twice: jobs that end already count', () => {
    const jobs = [lends('r1', { isStopping: true }), lends('r2'), lends('r3')];
    expect(preempted(decide(asks({ tenants: [owner, borrower(3)], running: jobs })))).toEqual(['r2 for o1']);
    const queued = [job('o1', 'owner', sized(1)), job('o2', 'owner', { queuedAt: 1, ...sized(1) })];
    expect(preempted(decide(asks({ queued, tenants: [owner, borrower(3)], running: jobs })))).toEqual(['r2 for o2']);
  });

  test('what is being freed for it, others do not take', () => {
    const queued = [job('o1', 'owner', sized(2)), job('y1', 'y', sized(1))];
    const tenants = [owner, borrower(1), tenant('y')];
    const decisions = decide(asks({ queued, tenants, running: [lends('r1')], pools: [pool({ cpus: 1 })] }));
    expect(preempted(decisions)).toEqual(['r1 for o1']);
    expect(started(decisions)).toEqual([]);
  });

  test('a small victim is spared where a larger one alone makes the room', () => {
    const jobs = [
      lends('small', { startedAt: -minute }),
      lends('large', { startedAt: -20 * minute, choice: choice({ cpus: 2 }) }),
    ];
    expect(preempted(decide(asks({ tenants: [owner, borrower(3)], running: jobs })))).toEqual(['large for o1']);
  });

  test('inside a tenant the lower priority makes way, where the pool’s policy says so', () => {
    const from = asks({
      queued: [job('urgent', 'x', { priority: 90, ...sized(1) })],
      tenants: [borrower(2)],
      running: [lends('same', { priority: 90 }), lends('lower')],
    });
    expect(preempted(decide(from))).toEqual([]);
    expect(preempted(decide({ ...from, rules: { ...from.rules, preemptsLowerPriority: true } }))).toEqual([
      'lower for urgent',
    ]);
  });

  test('a team takes back its own from its organisation, and its organisation’s from others', () => {
    const org = tenant('org', { quotas: cores(2), accelerators: { cpu: 1 }, running: 1 });
    const teams = [
      tenant('owner', { parent: 'org', quotas: cores(1) }),
      tenant('sibling', { parent: 'org', accelerators: { cpu: 1 }, running: 1 }),
    ];
    const sibling = running('s1', 'sibling', 60 * minute, { startedAt: -30 * minute });
    const queued = [job('o1', 'owner', sized(1))];
    const from = { queued, tenants: [org, ...teams, borrower(1)] };
    expect(preempted(decide(asks({ ...from, running: [sibling] })))).toEqual(['s1 for o1']);
    expect(preempted(decide(asks({ ...from, running: [sibling, lends('r1', { startedAt: -minute })] })))).toEqual([
      'r1 for o1',
    ]);
  });
});

describe('gangs and limits', () => {
  test('a job that waits at its tenant’s cap is not starved by the tenant’s small ones', () => {
    const caps = { runningJobs: Infinity, accelerators: { cpu: 4 }, petaflops: Infinity };
    const tenants = [tenant('a', { caps, accelerators: { cpu: 3 }, running: 3 })];
    const long = { durationMs: { p50: 50 * minute, p90: 60 * minute } };
    const queued = [
      job('gang', 'a', sized(4)),
      job('long', 'a', { queuedAt: 1, choices: [choice(long)] }),
      job('short', 'a', { queuedAt: 2, choices: [choice({ durationMs: { p50: minute, p90: 2 * minute } })] }),
    ];
    const from = snapshot({
      queued,
      tenants,
      pools: [pool({ cpus: 9 })],
      running: [running('r', 'a', 10 * minute, { choice: choice({ cpus: 3 }) })],
    });
    const decisions = decide(from);
    expect(started(decisions)).toEqual(['short']);
    expect(blocked(decisions)).toEqual(['gang: cap', 'long: reservation']);
    expect(decisions.waits[0]?.reserved?.startsAt).toBe(10 * minute);
  });

  test('each provider has a reservation of its own', () => {
    const on = (provider: string, cpus: number) => ({ choices: [choice({ provider, cpus })] });
    const decisions = decide(
      snapshot({
        queued: [
          job('a1', 'a', on('one', 4)),
          job('b1', 'b', on('two', 4)),
          job('c1', 'c', { queuedAt: 1, ...on('two', 1) }),
        ],
        pools: [pool({ provider: 'one', cpus: 1 }), pool({ provider: 'two', cpus: 1 })],
        tenants: [tenant('a'), tenant('b'), tenant('c'), tenant('x')],
        running: [
          running('r1', 'x', minute, { choice: choice({ provider: 'one', cpus: 3 }) }),
          running('r2', 'x', minute, { choice: choice({ provider: 'two', cpus: 3 }) }),
        ],
      }),
    );
    expect(decisions.waits.filter(({ reserved }) => reserved !== undefined).map(({ jobId }) => jobId)).toEqual([
      'a1',
      'b1',
    ]);
    expect(blocked(decisions)).toEqual(['a1: capacity', 'b1: capacity', 'c1: reservation']);
  });

  test('what the reserved start leaves over may be used for as long as one likes', () => {
    const decisions = decide(
      snapshot({
        queued: [job('gang', 'a', sized(3)), job('long', 'b', { queuedAt: 1 }), job('more', 'b', { queuedAt: 2 })],
        tenants: [tenant('a'), tenant('b', { decayedUse: 1 })],
        pools: [pool({ cpus: 2 })],
        running: [running('r', 'x', minute, { choice: choice({ cpus: 2 }) })],
      }),
    );
    expect(started(decisions)).toEqual(['long']);
    expect(blocked(decisions)).toEqual(['gang: capacity', 'more: reservation']);
  });
});

describe('concentration', () => {
  const at = (windowUse: number, others: number) => ({
    tenants: [tenant('a', { windowUse }), tenant('b', { windowUse: others, decayedUse: 1 })],
    concentration: {
      hhiCeiling: 0.6,
      largestShareCeiling: Infinity,
      squaredPetaflopSeconds: windowUse ** 2 + others ** 2,
      largestPetaflopSeconds: Math.max(windowUse, others),
      poolPetaflopSeconds: windowUse + others,
      floorPetaflopSeconds: 0,
    },
  });
  const heavy = { choices: [choice({ petaflops: 1 / 600 })] };
  const from = (windowUse: number, others: number, queued = [job('a1', 'a', heavy), job('b1', 'b', heavy)]) => {
    const { tenants, concentration } = at(windowUse, others);
    return snapshot({ queued, tenants, rules: { minRuntimeMs: 0, preemptsLowerPriority: false, concentration } });
  };

  test('a start that would bring the HHI above the ceiling waits; one that lowers it does not', () => {
    const decisions = decide(from(3, 1));
    expect(started(decisions)).toEqual(['b1']);
    expect(blocked(decisions)).toEqual(['a1: concentration']);
  });

  test('near the ceiling others go first, and where nobody else waits it starts', () => {
    // (6.2² + 4²) ÷ 10.2² = 0.523, with one more (7.2² + 4²) ÷ 11.2² = 0.541: above 0.54, nine tenths of the ceiling.
    expect(started(decide(from(6.2, 4)))).toEqual(['b1', 'a1']);
    const crowded = { ...from(6.2, 4), pools: [pool({ cpus: 1 })] };
    expect(started(decide(crowded))).toEqual(['b1']);
  });

  test('the largest share is the tenant’s own: one below another’s may not rise above the ceiling either', () => {
    const tenants = [tenant('b', { windowUse: 20 }), tenant('a', { windowUse: 50 })];
    const concentration = {
      hhiCeiling: Infinity,
      largestShareCeiling: 0.3,
      squaredPetaflopSeconds: 50 ** 2 + 20 ** 2,
      largestPetaflopSeconds: 50,
      poolPetaflopSeconds: 100,
      floorPetaflopSeconds: 1,
    };
    const rules = { minRuntimeMs: 0, preemptsLowerPriority: false, concentration };
    // From 20 of 100 to 40 of 120; a small one to 21 of 101.
    const of = (petaflops: number) => [
      job('j', 'b', { choices: [choice({ petaflops, durationMs: { p50: 1000, p90: 1000 } })] }),
    ];
    expect(blocked(decide(snapshot({ tenants, rules, queued: of(20) })))).toEqual(['j: concentration']);
    expect(started(decide(snapshot({ tenants, rules, queued: of(1) })))).toEqual(['j']);
  });

  test('whoever is guaranteed GPUs leaves the cores that others never lend', () => {
    const gpus = { kind: 'H100', free: [0, 1, 2, 3, 4, 5, 6, 7] };
    const h100 = { H100: { guaranteed: 8, lending: 8, borrowing: Infinity } };
    const asks = (cpus: number) =>
      decide(
        snapshot({
          tenants: [tenant('g1', { quotas: h100 }), tenant('g2', { quotas: cores(12, { lending: 0 }) })],
          pools: [pool({ cpus: 16, gpus })],
          queued: [job('j1', 'g1', { choices: [choice({ gpus: 8, cpus })] })],
        }),
      );
    expect(blocked(asks(8))).toEqual(['j1: quota']);
    expect(started(asks(4))).toEqual(['j1']);
  });
});
