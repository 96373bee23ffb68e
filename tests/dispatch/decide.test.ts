import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide } from '../../src/dispatch/decide.ts';
import type { Decisions } from '../../src/dispatch/decisions.ts';
import type { ShareCap, Snapshot, TenantUse } from '../../src/dispatch/snapshot.ts';
import { choice, job, minute, pool, running, snapshot, tenant } from './snapshots.ts';

const started = ({ starts }: Decisions) => starts.map(({ jobId }) => jobId);
const blocked = ({ waits }: Decisions) =>
  waits.map(({ jobId, blockers }) => `${jobId}: ${blockers.map(({ code }) => code).join(' ')}`);

describe('order', () => {
  test('the tenant with the lowest decayed use per weight is first', () => {
    const queued = [job('a1', 'a'), job('b1', 'b'), job('c1', 'c')];
    const tenants = [
      tenant('a', { decayedUse: 10 }),
      tenant('b', { decayedUse: 12, weight: 4 }),
      tenant('c', { decayedUse: 5 }),
    ];
    expect(started(decide(snapshot({ queued, tenants, pools: [pool({ cpus: 2 })] })))).toEqual(['b1', 'c1']);
  });

  test('inside a tenant the higher priority is first, then first come', () => {
    const queued = [
      job('late', 'a', { queuedAt: 2 }),
      job('early', 'a', { queuedAt: 1 }),
      job('urgent', 'a', { queuedAt: 3, priority: 90 }),
    ];
    expect(started(decide(snapshot({ queued })))).toEqual(['urgent', 'early', 'late']);
  });

  test('a burst is charged at its start, so equal tenants take turns', () => {
    const queued = ['a', 'b'].flatMap((id) => [1, 2, 3, 4].map((n) => job(`${id}${n}`, id, { queuedAt: n })));
    expect(started(decide(snapshot({ queued })))).toEqual(['a1', 'b1', 'a2', 'b2']);
  });
});

describe('capacity', () => {
  test('a gang starts with all its nodes or none', () => {
    const queued = [job('gang', 'a', { choices: [choice({ cpus: 2, nodes: 3 })] })];
    const short = decide(snapshot({ queued }));
    expect(started(short)).toEqual([]);
    expect(blocked(short)).toEqual(['gang: capacity']);
    expect(started(decide(snapshot({ queued, pools: [pool({ cpus: 6 })] })))).toEqual(['gang']);
  });

  test('each node of each job gets GPUs of its own', () => {
    const gpu = choice({ gpus: 2, nodes: 2, cpus: 1 });
    const queued = [job('one', 'a', { choices: [gpu] }), job('two', 'b', { choices: [gpu] })];
    const { starts } = decide(
      snapshot({ queued, pools: [pool({ gpus: { kind: 'H100', free: [0, 1, 2, 3, 5, 6, 7, 8] } })] }),
    );
    expect(starts.map(({ gpus }) => gpus)).toEqual([[[0, 1], [2, 3]], [[5, 6], [7, 8]]]); // prettier-ignore
  });

  test('what does not fit in the first choice goes to the next', () => {
    const queued = [
      job('a1', 'a', { choices: [choice({ cpus: 8 }), choice({ provider: 'cloud', optionId: 'second' })] }),
    ];
    const { starts } = decide(
      snapshot({
        queued,
        pools: [pool(), pool({ provider: 'cloud', cpus: Infinity, memoryBytes: Infinity, diskBytes: Infinity })],
      }),
    );
    expect(starts.map((start) => start.choice.optionId)).toEqual(['second']);
  });

  test('a large job that waits is not starved: others pass only if they end before it can start', () => {
    const queued = [
      job('large', 'a', { choices: [choice({ cpus: 4 })] }),
      job('long', 'a', { queuedAt: 1, choices: [choice({ durationMs: { p50: 20 * minute, p90: 40 * minute } })] }),
      job('short', 'a', { queuedAt: 2, choices: [choice({ durationMs: { p50: 5 * minute, p90: 9 * minute } })] }),
    ];
    const decisions = decide(
      snapshot({
        queued,
        pools: [pool({ cpus: 2 })],
        running: [running('r', 'b', 10 * minute, { choice: choice({ cpus: 2 }) })],
        tenants: [tenant('a'), tenant('b')],
      }),
    );
    expect(started(decisions)).toEqual(['short']);
    expect(blocked(decisions)).toEqual(['large: capacity', 'long: reservation']);
  });
});

describe('limits', () => {
  const cases: [string, Partial<ReturnType<typeof tenant>>, string][] = [
    ['running jobs', { running: 2, caps: { runningJobs: 2, accelerators: {}, petaflops: Infinity } }, 'cap'],
    [
      'cores at once',
      { accelerators: { cpu: 4 }, caps: { runningJobs: 9, accelerators: { cpu: 4 }, petaflops: Infinity } },
      'cap',
    ],
    ['compute at once', { petaflops: 0.5, caps: { runningJobs: 9, accelerators: {}, petaflops: 0.5 } }, 'cap'],
    ['budget', { budgetLeft: 999_999 }, 'budget'],
    [
      'hard share cap',
      {
        shareCap: {
          share: 0.3,
          mode: 'hard',
          ownPetaflopSeconds: 4,
          poolPetaflopSeconds: 10,
          floorPetaflopSeconds: 1,
        },
      },
      'share-cap',
    ],
  ];
  test.each(cases)('%s', (_name, limits, code) => {
    expect(blocked(decide(snapshot({ queued: [job('a1', 'a')], tenants: [tenant('a', limits)] })))).toEqual([
      `a1: ${code}`,
    ]);
  });

  test('a budget is not passed by many starts in one cycle', () => {
    const queued = [1, 2, 3, 4].map((n) => job(`a${n}`, 'a', { queuedAt: n }));
    expect(started(decide(snapshot({ queued, tenants: [tenant('a', { budgetLeft: 2_500_000 })] })))).toEqual([
      'a1',
      'a2',
    ]);
  });

  test('a soft share cap holds only while others wait', () => {
    const over = {
      share: 0.3,
      mode: 'soft',
      ownPetaflopSeconds: 4,
      poolPetaflopSeconds: 10,
      floorPetaflopSeconds: 1,
    } satisfies ShareCap;
    const tenants = [tenant('a', { shareCap: over }), tenant('b', { decayedUse: 1 })];
    expect(started(decide(snapshot({ queued: [job('a1', 'a')], tenants })))).toEqual(['a1']);
    expect(
      started(decide(snapshot({ queued: [job('a1', 'a'), job('b1', 'b')], tenants, pools: [pool({ cpus: 1 })] }))),
    ).toEqual(['b1']);
  });

  test('a retry waits for its time', () => {
    expect(blocked(decide(snapshot({ queued: [job('a1', 'a', { notBefore: 1 })] })))).toEqual(['a1: backoff']);
  });
});

describe('for every snapshot', () => {
  const anyTenant = fc.record({
    id: fc.constantFrom('a', 'b', 'c'),
    cap: fc.integer({ min: 0, max: 6 }),
    budgetLeft: fc.integer({ min: 0, max: 8_000_000 }),
    use: fc.nat(100),
  });
  const anyJob = fc.record({
    tenantId: fc.constantFrom('a', 'b', 'c'),
    cpus: fc.integer({ min: 1, max: 5 }),
    nodes: fc.integer({ min: 1, max: 3 }),
    gpus: fc.integer({ min: 0, max: 3 }),
    priority: fc.nat(3),
  });
  const anySnapshot = fc
    .record({
      tenants: fc.uniqueArray(anyTenant, { minLength: 3, maxLength: 3, selector: ({ id }) => id }),
      jobs: fc.array(anyJob, { maxLength: 20 }),
      cpus: fc.nat(12),
      gpus: fc.nat(8),
    })
    .map(({ tenants, jobs, cpus, gpus }) =>
      snapshot({
        pools: [pool({ cpus, gpus: { kind: 'H100', free: Array.from({ length: gpus }, (_, index) => index) } })],
        tenants: tenants.map(({ id, cap, budgetLeft, use }) =>
          tenant(id, {
            budgetLeft,
            decayedUse: use,
            caps: { runningJobs: cap, accelerators: { H100: cap }, petaflops: Infinity },
          }),
        ),
        queued: jobs.map(({ tenantId, priority, ...of }, index) =>
          job(`job${index}`, tenantId, { queuedAt: index, priority, choices: [choice(of)] }),
        ),
      }),
    );
  const holds = (check: (decisions: Decisions, from: Snapshot) => void) =>
    fc.assert(fc.property(anySnapshot, (from) => check(decide(from), from)));

  test('no capacity is given twice', () => {
    holds(({ starts }, { pools }) => {
      const cpus = starts.reduce((sum, { choice: { need } }) => sum + need.cpus * need.nodes, 0);
      const gpus = starts.flatMap((start) => start.gpus.flat());
      expect(cpus).toBeLessThanOrEqual(pools[0]?.cpus ?? 0);
      expect(new Set(gpus).size).toBe(gpus.length);
    });
  });

  test('no cap and no budget is passed, also by many starts', () => {
    holds(({ starts }, { tenants }) => {
      for (const { id, caps, budgetLeft } of tenants) {
        const own = starts.filter(({ tenantId }) => tenantId === id);
        expect(own.length).toBeLessThanOrEqual(caps.runningJobs);
        expect(own.reduce((sum, { gpus }) => sum + gpus.flat().length, 0)).toBeLessThanOrEqual(
          caps.accelerators['H100'] ?? 0,
        );
        expect(own.reduce((sum, start) => sum + start.choice.reservation, 0)).toBeLessThanOrEqual(budgetLeft);
      }
    });
  });

  test('every job is either started or waits with a reason', () => {
    holds(({ starts, waits }, { queued }) => {
      expect([...starts, ...waits].map(({ jobId }) => jobId).toSorted()).toEqual(queued.map(({ id }) => id).toSorted());
      for (const { blockers } of waits) expect(blockers.length).toBeGreaterThan(0);
    });
  });

  test('the same snapshot gives the same decisions, and is left as it was', () => {
    holds((decisions, from) => {
      const copy = structuredClone(from);
      expect(decide(from)).toEqual(decisions);
      expect(from).toEqual(copy);
    });
  });
});

describe('where nobody knows what the pool could give', () => {
  const capped = (own: number, pool: number) => ({
    share: 0.3,
    mode: 'hard' as const,
    ownPetaflopSeconds: own,
    poolPetaflopSeconds: pool,
    floorPetaflopSeconds: 0,
  });
  const ceilings = (own: number, pool: number) => ({
    hhiCeiling: 0.5,
    largestShareCeiling: 0.5,
    squaredPetaflopSeconds: own ** 2 + (pool - own) ** 2,
    largestPetaflopSeconds: own,
    poolPetaflopSeconds: pool,
    floorPetaflopSeconds: 0,
  });
  const start = (shareCap: TenantUse['shareCap'], windowUse: number, pool: number) => {
    const rules = { minRuntimeMs: 0, preemptsLowerPriority: false, concentration: ceilings(windowUse, pool) };
    return decide(snapshot({ queued: [job('j', 'a')], tenants: [tenant('a', { shareCap, windowUse })], rules }));
  };

  test('who is alone may start, also again, whatever caps say of shares', () => {
    expect(start(capped(0, 0), 0, 0).starts).toHaveLength(1);
    expect(start(capped(5, 5), 5, 5).starts).toHaveLength(1);
  });

  test('caps and ceilings hold as soon as others have had some of it', () => {
    expect(start(capped(5, 6), 5, 6).waits[0]?.blockers.map(({ code }) => code)).toEqual([
      'share-cap',
      'concentration',
      'concentration',
    ]);
  });
});
