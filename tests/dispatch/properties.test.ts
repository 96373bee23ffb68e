import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, decideRound } from '../../src/dispatch/decide.ts';
import type { Decisions } from '../../src/dispatch/decisions.ts';
import type { Obstacle } from '../../src/dispatch/obstacles.ts';
import { byTenant } from '../../src/dispatch/order.ts';
import type { Concentration, Snapshot, TenantUse } from '../../src/dispatch/snapshot.ts';
import { countEnd, openState } from '../../src/dispatch/state.ts';
import { choice, job, minute, pool, running, snapshot, tenant } from './snapshots.ts';

/** Two teams under an organisation and one tenant beside it, with every kind of limit; some of what runs is theirs. */
const anyLimits = fc.record({
  weight: fc.integer({ min: 1, max: 4 }),
  decayedUse: fc.double({ min: 0, max: 1, noNaN: true }),
  cap: fc.integer({ min: 0, max: 8 }),
  budget: fc.integer({ min: 0, max: 9_000_000 }),
  guaranteed: fc.nat(4),
  borrowing: fc.option(fc.nat(6)),
  lent: fc.double({ min: 0, max: 1, noNaN: true }),
  share: fc.option(fc.double({ min: 0.05, max: 1, noNaN: true })),
  windowUse: fc.double({ min: 0, max: 1, noNaN: true }),
});
const anyJob = fc.record({
  tenantId: fc.constantFrom('a', 'b', 'c', 'org'),
  cpus: fc.integer({ min: 1, max: 4 }),
  nodes: fc.integer({ min: 1, max: 2 }),
  priority: fc.nat(2),
  p50: fc.integer({ min: 1, max: 30 }),
  hasReservation: fc.boolean(),
});
const anySnapshot = fc
  .record({
    limits: fc.tuple(anyLimits, anyLimits, anyLimits, anyLimits),
    queued: fc.array(anyJob, { maxLength: 16 }),
    active: fc.array(fc.tuple(anyJob, fc.boolean()), { maxLength: 6 }),
    free: fc.nat(12),
    hhiCeiling: fc.option(fc.double({ min: 0.1, max: 1, noNaN: true })),
    preemptsLowerPriority: fc.boolean(),
  })
  .map(({ limits, queued, active, free, hhiCeiling, preemptsLowerPriority }): Snapshot => {
    const sized = ({ cpus, nodes, p50 }: (typeof queued)[number]) =>
      choice({ cpus, nodes, durationMs: { p50: p50 * minute, p90: 2 * p50 * minute } });
    const runs = active.map(([each, isStopping], index) =>
      running(`run${index}`, each.tenantId, each.p50 * minute, {
        choice: sized(each),
        priority: each.priority,
        startedAt: -minute,
        isStopping,
      }),
    );
    const ids = ['a', 'b', 'c', 'org'];
    const below: Record<string, string[]> = { a: ['a'], b: ['b'], c: ['c'], org: ['org', 'a', 'b'] };
    const tenants = limits.map((limit, index): TenantUse => {
      const id = ids[index] ?? '';
      const own = runs.filter(({ tenantId }) => below[id]?.includes(tenantId));
      const { cap, budget, guaranteed, borrowing, lent, share, windowUse, weight, decayedUse } = limit;
      return tenant(id, {
        parent: id === 'a' || id === 'b' ? 'org' : undefined,
        weight,
        decayedUse,
        windowUse,
        running: own.length,
        accelerators: { cpu: own.reduce((sum, run) => sum + run.choice.accelerators.count, 0) },
        petaflops: own.reduce((sum, run) => sum + run.choice.petaflops, 0),
        caps: { runningJobs: cap, accelerators: { cpu: 2 * cap }, petaflops: Infinity },
        quotas: { cpu: { guaranteed, borrowing: borrowing ?? Infinity, lending: Math.floor(lent * guaranteed) } },
        budgetLeft: budget,
        shareCap:
          share === null
            ? undefined
            : { share, mode: 'hard', ownPetaflopSeconds: windowUse, poolPetaflopSeconds: 2, floorPetaflopSeconds: 1 },
      });
    });
    const uses = tenants.map(({ windowUse }) => windowUse);
    const concentration =
      hhiCeiling === null
        ? undefined
        : {
            hhiCeiling,
            largestShareCeiling: 0.9,
            squaredPetaflopSeconds: uses.reduce((sum, use) => sum + use * use, 0),
            largestPetaflopSeconds: Math.max(...uses),
            poolPetaflopSeconds: uses.reduce((sum, use) => sum + use, 0),
            floorPetaflopSeconds: 0.5,
          };
    return snapshot({
      pools: [pool({ cpus: free })],
      tenants,
      running: runs,
      queued: queued.map((each, index) =>
        job(`job${index}`, each.tenantId, {
          queuedAt: index,
          priority: each.priority,
          choices: [sized(each)],
          hasReservation: each.hasReservation,
        }),
      ),
      rules: { minRuntimeMs: 0, preemptsLowerPriority, concentration },
    });
  });

const lineage: Record<string, string[]> = { a: ['a', 'org'], b: ['b', 'org'], c: ['c'], org: ['org'] };
const startsOf = ({ starts }: Decisions, id: string) =>
  starts.filter(({ tenantId }) => lineage[tenantId]?.includes(id) ?? false);
const coresOf = (starts: Decisions['starts']) =>
  starts.reduce((sum, start) => sum + start.choice.accelerators.count, 0);
const entryOf = (starts: Decisions['starts']) =>
  starts.reduce((sum, { choice: { petaflops, durationMs } }) => sum + (petaflops * durationMs.p50) / 1000, 0);
const holds = (check: (decisions: Decisions, from: Snapshot) => void) =>
  fc.assert(
    fc.property(anySnapshot, (from) => check(decide(from), from)),
    { numRuns: 300 },
  );

describe('for every snapshot', () => {
  test('no capacity is given twice', () => {
    holds(({ starts }, { pools }) => {
      expect(coresOf(starts)).toBeLessThanOrEqual(pools[0]?.cpus ?? 0);
    });
  });

  test('what a guarantee does not lend is left free by those without a guarantee of their own', () => {
    holds((decisions, { pools, tenants }) => {
      const last = decisions.starts.at(-1);
      const coresWith = (each: TenantUse) => (each.accelerators['cpu'] ?? 0) + coresOf(startsOf(decisions, each.id));
      const starter = tenants.find(({ id }) => id === last?.tenantId);
      if (starter === undefined || coresWith(starter) <= (starter.quotas['cpu']?.guaranteed ?? 0)) return;
      for (const each of tenants) {
        if (lineage[starter.id]?.includes(each.id)) continue;
        const { guaranteed = 0, lending = 0 } = each.quotas['cpu'] ?? {};
        const free = (pools[0]?.cpus ?? 0) - coresOf(decisions.starts);
        expect(free).toBeGreaterThanOrEqual(Math.max(0, guaranteed - lending - coresWith(each)));
      }
    });
  });

  test('no cap, quota or budget is passed at any level, also by many starts in one round', () => {
    holds((decisions, { tenants }) => {
      for (const { id, caps, quotas, budgetLeft, running: ran, accelerators } of tenants) {
        const own = startsOf(decisions, id);
        if (own.length === 0) continue;
        const cores = (accelerators['cpu'] ?? 0) + coresOf(own);
        const { guaranteed = 0, borrowing = 0 } = quotas['cpu'] ?? {};
        expect(ran + own.length).toBeLessThanOrEqual(caps.runningJobs);
        expect(cores).toBeLessThanOrEqual(Math.min(caps.accelerators['cpu'] ?? 0, guaranteed + borrowing));
        expect(own.reduce((sum, start) => sum + start.choice.reservation, 0)).toBeLessThanOrEqual(budgetLeft);
      }
    });
  });

  test('no hard share cap is passed', () => {
    holds((decisions, { tenants }) => {
      const pooled = 2 + entryOf(decisions.starts);
      for (const { id, shareCap } of tenants) {
        const own = startsOf(decisions, id);
        if (shareCap === undefined || own.length === 0) continue;
        const share = (shareCap.ownPetaflopSeconds + entryOf(own)) / Math.max(pooled, shareCap.floorPetaflopSeconds);
        expect(share).toBeLessThanOrEqual(shareCap.share + 1e-9);
      }
    });
  });

  test('no start brings the concentration above its ceiling', () => {
    holds(({ starts }, { tenants, rules: { concentration } }) => {
      if (concentration === undefined) return;
      const uses = new Map(tenants.map(({ id, windowUse }) => [id, windowUse]));
      for (const start of starts) {
        const before = hhiOf(uses, concentration);
        uses.set(start.tenantId, (uses.get(start.tenantId) ?? 0) + entryOf([start]));
        expect(hhiOf(uses, concentration)).toBeLessThanOrEqual(Math.max(before, concentration.hhiCeiling) + 1e-8);
      }
    });
  });

  test('who makes way borrows, and the one it is for is within a guarantee, or ranks higher in the same tenant', () => {
    holds((decisions, { tenants, queued, running: runs, rules }) => {
      const { preemptions } = decisions;
      expect(new Set(preemptions.map(({ jobId }) => jobId)).size).toBe(preemptions.length);
      for (const { jobId, tenantId, forJobId, forTenantId } of preemptions) {
        const victim = runs.find(({ id }) => id === jobId);
        const waiting = queued.find(({ id }) => id === forJobId);
        if (tenantId === forTenantId) {
          expect(rules.preemptsLowerPriority && (victim?.priority ?? 9) < (waiting?.priority ?? 0)).toBe(true);
          continue;
        }
        const guaranteedTo = (id: string, other: string) =>
          (lineage[id] ?? [])
            .filter((each) => !lineage[other]?.includes(each))
            .flatMap((each) => tenants.find((known) => known.id === each) ?? [])
            .map(({ id: holder, accelerators, quotas }) => ({
              used: accelerators['cpu'] ?? 0,
              started: coresOf(startsOf(decisions, holder)),
              guaranteed: quotas['cpu']?.guaranteed ?? 0,
            }))
            .filter(({ guaranteed }) => guaranteed > 0);
        // Seen where the two part: it is above each of its guarantees, and who gets its place within the highest one.
        for (const { used, started, guaranteed } of guaranteedTo(tenantId, forTenantId))
          expect(used + started).toBeGreaterThan(guaranteed);
        const { used, guaranteed } = guaranteedTo(forTenantId, tenantId).at(-1) ?? { used: 0, guaranteed: 0 };
        expect(used + (waiting?.choices[0]?.accelerators.count ?? Infinity)).toBeLessThanOrEqual(guaranteed);
      }
    });
  });

  test('nobody makes way in vain: once they have gone the job that they went for starts, whoever else waits, unless a ceiling on shares keeps it', () => {
    holds((decisions, from) => {
      const claimants = new Set(decisions.preemptions.map(({ forJobId }) => forJobId));
      const state = openState(from);
      decideRound(state, byTenant(from.queued));
      for (const { jobId } of decisions.preemptions) countEnd(state, jobId);
      for (const { id, isStopping } of from.running) if (isStopping) countEnd(state, id);
      const waiting = from.queued.filter(({ id }) => decisions.waits.some(({ jobId }) => jobId === id));
      const next = decideRound(state, byTenant(waiting.map((each) => ({ ...each, hasClaim: claimants.has(each.id) }))));
      // Shares are parts of what the pool has used, which each start changes.
      const isOfShares = ({ is }: Obstacle) => is === 'concentration' || is === 'share-cap';
      for (const { jobId, blockers } of next.waits) if (blockers.some(isOfShares)) claimants.delete(jobId);
      expect(next.starts.map(({ jobId }) => jobId)).toEqual(expect.arrayContaining([...claimants]));
    });
  });

  test('those that make way leave each tenant what it is guaranteed, but for what the last of them is larger', () => {
    holds((decisions, { tenants, running: runs }) => {
      for (const { id, quotas, accelerators } of tenants) {
        const leaving = decisions.preemptions
          .filter(({ tenantId, forTenantId }) => lineage[tenantId]?.includes(id) && !lineage[forTenantId]?.includes(id))
          .map(({ jobId }) => runs.find((run) => run.id === jobId)?.choice.accelerators.count ?? 0);
        const { guaranteed = 0 } = quotas['cpu'] ?? {};
        if (leaving.length === 0 || guaranteed === 0) continue;
        const stopping = runs
          .filter(({ isStopping, tenantId }) => isStopping && lineage[tenantId]?.includes(id))
          .reduce((sum, { choice: { accelerators: held } }) => sum + held.count, 0);
        const had = (accelerators['cpu'] ?? 0) - stopping + coresOf(startsOf(decisions, id));
        const last = Math.max(...leaving);
        expect(had - leaving.reduce((sum, count) => sum + count, 0) + last).toBeGreaterThan(guaranteed);
      }
    });
  });

  test('every job starts or waits with a reason, and the same snapshot gives the same decisions', () => {
    holds((decisions, from) => {
      const { starts, waits } = decisions;
      expect([...starts, ...waits].map(({ jobId }) => jobId).toSorted()).toEqual(
        from.queued.map(({ id }) => id).toSorted(),
      );
      for (const { blockers } of waits) expect(blockers.length).toBeGreaterThan(0);
      const copy = structuredClone(from);
      expect(decide(from)).toEqual(decisions);
      expect(from).toEqual(copy);
    });
  });
});

function hhiOf(uses: Map<string, number>, { floorPetaflopSeconds }: Concentration): number {
  const amounts = [...uses.values()];
  const total = amounts.reduce((sum, amount) => sum + amount, 0);
  return amounts.reduce((sum, amount) => sum + amount * amount, 0) / Math.max(total, floorPetaflopSeconds) ** 2;
}
