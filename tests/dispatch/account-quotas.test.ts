import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide } from '../../src/dispatch/decide.ts';
import type { Decisions } from '../../src/dispatch/decisions.ts';
import { createDescribe } from '../../src/dispatch/describe.ts';
import { accountPetaflops } from '../../src/dispatch/account-quotas.ts';
import type { Pool, PoolQuota, Snapshot } from '../../src/dispatch/snapshot.ts';
import { openState } from '../../src/dispatch/state.ts';
import { choice, job, minute, running, snapshot, tenant } from './snapshots.ts';

const raiseAt = 'https://cloud.example.org/quotas';
const quota = (id: string, free: number, facts: Partial<PoolQuota> = {}): PoolQuota => {
  return { id, metric: id, region: 'us', kind: 'H100', unit: 'GPUs', limit: 8, most: 100, free, raiseAt, ...facts };
};
const cloud = (quotas: PoolQuota[], wholeKinds: string[] = []): Pool => {
  return {
    provider: 'cloud',
    cpus: Infinity,
    memoryBytes: Infinity,
    diskBytes: Infinity,
    gpus: { kind: '', free: [] },
    quotas,
    wholeKinds,
  };
};
const ofCloud = (takes: Record<string, number>, gpus = 1, nodes = 1) =>
  choice({ provider: 'cloud', gpus, nodes, takes });
const idsOf = ({ starts }: Decisions) => starts.map(({ jobId }) => jobId);

describe('rule 14, limits of the account', () => {
  test('no more starts in a region and market than its quota leaves, and each job takes the next that has some', () => {
    const choices = [ofCloud({ us: 1 }), ofCloud({ eu: 1 })];
    const queued = ['a', 'b', 'c', 'd'].map((id, at) => job(id, 't', { queuedAt: at, choices }));
    const decisions = decide(snapshot({ pools: [cloud([quota('us', 2), quota('eu', 1)])], queued }));
    expect(decisions.starts.map((start) => Object.keys(start.choice.takes ?? {})[0])).toEqual(['us', 'us', 'eu']);
    expect(decisions.waits).toMatchObject([
      { jobId: 'd', blockers: [{ code: 'quota', id: 'us', wanted: 1, free: 0 }] },
    ]);
  });

  test('a limit over all regions holds beside those of the regions', () => {
    const queued = ['a', 'b'].map((id) => job(id, id, { choices: [ofCloud({ us: 2, all: 2 }, 2)] }));
    const decisions = decide(snapshot({ pools: [cloud([quota('us', 8), quota('all', 3)])], queued }));
    expect(idsOf(decisions)).toEqual(['a']);
    expect(decisions.waits).toMatchObject([{ blockers: [{ is: 'account-quota', id: 'all', free: 1 }] }]);
  });

  test('a gang gets all its nodes or none, and what no quota names starts as if there were none', () => {
    const queued = [
      job('gang', 't', { choices: [ofCloud({ us: 8 }, 4, 2)] }),
      job('unknown', 't', { queuedAt: 1, choices: [ofCloud({})] }),
    ];
    expect(idsOf(decide(snapshot({ pools: [cloud([quota('us', 7)])], queued })))).toEqual(['unknown']);
  });

  test('a job that waits for one quota reserves it, and holds back nobody who takes of another', () => {
    const runs = running('run', 't', 30 * minute, { choice: ofCloud({ us: 4 }, 4) });
    const long = { durationMs: { p50: 60 * minute, p90: 60 * minute } };
    const queued = [
      job('gang', 'a', { choices: [ofCloud({ us: 8 }, 8)] }),
      job('other', 'b', { queuedAt: 1, choices: [{ ...ofCloud({ eu: 1 }), ...long }] }),
      job('late', 'c', { queuedAt: 2, choices: [{ ...ofCloud({ us: 1 }), ...long }] }),
      job('short', 'd', {
        queuedAt: 3,
        choices: [{ ...ofCloud({ us: 1 }), durationMs: { p50: minute, p90: minute } }],
      }),
    ];
    const decisions = decide(snapshot({ pools: [cloud([quota('us', 4), quota('eu', 1)])], queued, running: [runs] }));
    expect(idsOf(decisions).toSorted()).toEqual(['other', 'short']);
    expect(decisions.waits.find(({ jobId }) => jobId === 'gang')?.reserved?.startsAt).toBe(30 * minute);
    expect(decisions.waits.find(({ jobId }) => jobId === 'late')?.blockers).toMatchObject([{ code: 'reservation' }]);
  });

  test('within a guarantee others make way for what the quota lacks, and only those who take of it', () => {
    const borrowed = (id: string, takes: Record<string, number>) =>
      running(id, 'borrower', 60 * minute, { choice: ofCloud(takes, 4), startedAt: -10 * minute });
    const decisions = decide(
      snapshot({
        pools: [cloud([quota('us', 0), quota('eu', 0)])],
        tenants: [
          tenant('owner', { quotas: { H100: { guaranteed: 4, borrowing: 0, lending: 4 } } }),
          tenant('borrower', { accelerators: { H100: 8 }, running: 2 }),
        ],
        running: [borrowed('in-eu', { eu: 4 }), borrowed('in-us', { us: 4 })],
        queued: [job('own', 'owner', { choices: [ofCloud({ us: 4 }, 4)] })],
      }),
    );
    expect(decisions.preemptions.map(({ jobId }) => jobId)).toEqual(['in-us']);
  });

  test('of a kind whose quotas are all known, a guarantee that is not lent stays free', () => {
    const scene = (wholeKinds: string[]) =>
      snapshot({
        pools: [cloud([quota('us', 4), quota('eu', 2)], wholeKinds)],
        tenants: [tenant('owner', { quotas: { H100: { guaranteed: 4, borrowing: 0, lending: 0 } } }), tenant('other')],
        queued: ['a', 'b', 'c'].map((id, at) => job(id, 'other', { queuedAt: at, choices: [ofCloud({ us: 1 })] })),
      });
    expect(idsOf(decide(scene(['H100'])))).toEqual(['a', 'b']);
    expect(idsOf(decide(scene([])))).toEqual(['a', 'b', 'c']);
  });

  test('the blocker says which quota, where, how much is used, and where to raise it', () => {
    const runs = running('job_run', 't', 30 * minute, { choice: ofCloud({ us: 8 }, 8) });
    const from = snapshot({
      pools: [cloud([quota('us', 0, { metric: 'NVIDIA_H100_GPUS', region: 'us-central1' })])],
      queued: [job('job_a', 't', { choices: [ofCloud({ us: 1 })] })],
      running: [runs],
    });
    const [obstacle] = decide(from).waits[0]?.blockers ?? [];
    expect(obstacle && createDescribe(openState(from))(obstacle, 't')).toEqual({
      code: 'quota',
      message: "cloud's quota NVIDIA_H100_GPUS in us-central1 has 8 of 8 GPUs used; the job wants 1.",
      unblocks: `job_run ends, about 00:30 UTC, or an operator asks for more at ${raiseAt}.`,
    });
  });
});

const regions = ['us', 'eu', 'asia'];
const anyRegions = fc.record({
  free: fc.tuple(fc.nat(6), fc.nat(6), fc.nat(6)),
  all: fc.nat(10),
  queued: fc.array(
    fc.record({
      tenantId: fc.constantFrom('a', 'b', 'c'),
      gpus: fc.integer({ min: 1, max: 3 }),
      nodes: fc.integer({ min: 1, max: 2 }),
      order: fc.shuffledSubarray(regions, { minLength: 1 }),
      minutes: fc.integer({ min: 1, max: 30 }),
    }),
    { maxLength: 14 },
  ),
  active: fc.array(fc.record({ tenantId: fc.constantFrom('a', 'b'), region: fc.constantFrom(...regions) }), {
    maxLength: 5,
  }),
  guaranteed: fc.nat(4),
});

test('for every snapshot no quota of an account is given twice', () => {
  fc.assert(
    fc.property(anyRegions, ({ free, all, queued, active, guaranteed }) => {
      const take = (region: string, count: number) => ofCloud({ [region]: count, all: count }, count);
      const runs = active.map(({ tenantId, region }, index) =>
        running(`run${index}`, tenantId, 20 * minute, { choice: take(region, 1), startedAt: -10 * minute }),
      );
      const usedBy = (id: string) => runs.filter(({ tenantId }) => tenantId === id).length;
      const from: Snapshot = snapshot({
        pools: [cloud([...regions.map((id, at) => quota(id, free[at] ?? 0)), quota('all', all)])],
        tenants: ['a', 'b', 'c'].map((id) =>
          tenant(id, {
            running: usedBy(id),
            accelerators: { H100: usedBy(id) },
            quotas: id === 'c' ? { H100: { guaranteed, borrowing: Infinity, lending: guaranteed } } : {},
          }),
        ),
        running: runs,
        queued: queued.map(({ tenantId, gpus, nodes, order, minutes }, at) =>
          job(`job${at}`, tenantId, {
            queuedAt: at,
            choices: order.map((region) => ({
              ...ofCloud({ [region]: gpus * nodes, all: gpus * nodes }, gpus, nodes),
              durationMs: { p50: minutes * minute, p90: 2 * minutes * minute },
            })),
          }),
        ),
      });
      const before = structuredClone(from);
      const { starts, preemptions, waits } = decide(from);
      for (const { id, free: left } of from.pools[0]?.quotas ?? [])
        expect(starts.reduce((sum, start) => sum + (start.choice.takes?.[id] ?? 0), 0)).toBeLessThanOrEqual(left);
      // What makes way is given to the one that it makes way for, and to nobody else in the same round.
      const waiting = new Set(waits.map(({ jobId }) => jobId));
      for (const { forJobId } of preemptions) expect(waiting.has(forJobId)).toBe(true);
      expect(from).toEqual(before);
    }),
    { numRuns: 300 },
  );
});

test('under a limit over all regions an account gives no more than that many of the fastest', () => {
  const quotaOf = (kind: string | undefined, limit: number, takes: [string, 'spot' | 'on-demand'][]) => ({
    metric: kind ?? 'GPUS_ALL_REGIONS',
    ...(kind === undefined ? {} : { kind, region: 'us' }),
    unit: 'GPUs' as const,
    limit,
    used: 0,
    others: 0,
    raiseAt,
    takes: takes.map(([machineType, market]) => ({ machineType, market, amount: 1 })),
  });
  const quotas = [
    quotaOf('L4', 16, [['g2', 'on-demand']]),
    quotaOf('A100', 4, [['a2', 'on-demand']]),
    quotaOf('L4', 8, [['g2', 'spot']]),
    quotaOf(undefined, 6, [['g2', 'on-demand'], ['a2', 'on-demand']]), // prettier-ignore
  ];
  const rate = (kind: string) => (kind === 'A100' ? 10 : 1);
  expect(accountPetaflops([{ provider: 'cloud', readAt: new Date(0), quotas, unknown: [] }], rate)).toBe(
    4 * 10 + 2 + 8,
  );
});
