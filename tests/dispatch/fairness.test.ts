import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { QueuedJob } from '../../src/dispatch/snapshot.ts';
import { entryOf } from '../../src/dispatch/state.ts';
import { runForward } from './forward.ts';
import { choice, job, minute, pool, running, snapshot, tenant } from './snapshots.ts';

const entry = (cpus: number, p50: number) => entryOf(choice({ cpus, durationMs: { p50, p90: p50 } }));

describe('over many rounds', () => {
  /** Always `depth` jobs waiting of each tenant, of its own size: enough to fill the machine. */
  const busy = (sizes: Record<string, { cpus: number; minutes: number }>, depth = 8) => {
    let made = 0;
    return (tenantId: string, waiting: number, now: number): QueuedJob[] =>
      Array.from({ length: Math.max(0, depth - waiting) }, () => {
        const { cpus, minutes } = sizes[tenantId] ?? { cpus: 1, minutes: 1 };
        const durationMs = { p50: minutes * minute, p90: minutes * minute };
        return job(`${tenantId}${(made += 1)}`, tenantId, { queuedAt: now, choices: [choice({ cpus, durationMs })] });
      });
  };
  const anySize = fc.record({ cpus: fc.integer({ min: 1, max: 4 }), minutes: fc.integer({ min: 1, max: 10 }) });
  const largest = (sizes: { cpus: number; minutes: number }[]) =>
    Math.max(...sizes.map(({ cpus, minutes }) => entry(cpus, minutes * minute)));

  test('equal tenants come to equal shares, others to their weights, whatever the size of their jobs', () => {
    // Of sizes that fill the machine: what one can't fill, others may use beyond their shares.
    const fitting = fc.record({ cpus: fc.constantFrom(1, 2, 4, 8), minutes: fc.integer({ min: 1, max: 10 }) });
    fc.assert(
      fc.property(fitting, fitting, fc.integer({ min: 1, max: 4 }), (a, b, weight) => {
        const from = snapshot({ tenants: [tenant('a'), tenant('b', { weight })], pools: [pool({ cpus: 8 })] });
        const { use } = runForward(from, 600 * minute, busy({ a, b }));
        const [ofA, ofB] = [use.get('a') ?? 0, (use.get('b') ?? 0) / weight];
        // Within what is being charged at once: no more than a machine full of the largest jobs.
        expect(Math.abs(ofA - ofB)).toBeLessThanOrEqual(8 * largest([a, b]));
        expect(Math.abs(ofA - ofB) / Math.max(ofA, ofB)).toBeLessThan(0.2);
      }),
      { numRuns: 40 },
    );
  });

  test('nobody gains by splitting a job, or by submitting many at once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 8, max: 64 }), anySize, (parts, burst, other) => {
        const shareOf = (size: { cpus: number; minutes: number }, depth: number) => {
          const own = busy({ a: size }, depth);
          const others = busy({ b: other });
          const { use } = runForward(
            snapshot({ tenants: [tenant('a'), tenant('b')], pools: [pool({ cpus: 8 })] }),
            600 * minute,
            (id, waiting, now) => (id === 'a' ? own : others)(id, waiting, now),
          );
          return (use.get('a') ?? 0) / ((use.get('a') ?? 0) + (use.get('b') ?? 0));
        };
        const before = shareOf({ cpus: 4, minutes: 8 }, 8);
        const split = [
          { cpus: 4 / parts, minutes: 8 },
          { cpus: 4, minutes: 8 / parts },
        ];
        for (const size of split) expect(shareOf(size, burst)).toBeLessThanOrEqual(Math.max(before, 0.5) + 0.02);
      }),
      { numRuns: 15 },
    );
  });

  test('whoever has work and room starts in the end, also a gang as large as the machine among endless small jobs', () => {
    fc.assert(
      fc.property(fc.array(anySize, { minLength: 1, maxLength: 4 }), (sizes) => {
        const others = sizes.map((_size, n) => `t${n}`);
        const bySize = Object.fromEntries(sizes.map((size, n) => [`t${n}`, size]));
        const small = busy(bySize);
        const gang = job('gang', 'a', { choices: [choice({ cpus: 4, nodes: 2 })] });
        const from = snapshot({
          tenants: [tenant('a', { decayedUse: entry(8, 60 * minute) }), ...others.map((id) => tenant(id))],
          pools: [pool({ cpus: 8 })],
          queued: [gang],
        });
        const { startedAt } = runForward(from, 1000 * minute, (id, waiting, now) =>
          id === 'a' ? [] : small(id, waiting, now),
        );
        expect(startedAt.get('gang')).toBeDefined();
      }),
      { numRuns: 30 },
    );
  });

  test('a tenant gets its guarantee back as soon as it asks, from those who have borrowed it', () => {
    const borrowed = Array.from({ length: 8 }, (_, n) =>
      running(`b${n}`, 'b', 600 * minute, { startedAt: -n * minute }),
    );
    const { startedAt } = runForward(
      snapshot({
        tenants: [
          tenant('a', { quotas: { cpu: { guaranteed: 4, borrowing: 0, lending: 4 } } }),
          tenant('b', { running: 8, accelerators: { cpu: 8 } }),
        ],
        pools: [pool({ cpus: 0 })],
        running: borrowed,
        queued: [job('b9', 'b'), job('a1', 'a', { queuedAt: 1, choices: [choice({ cpus: 4 })] })],
      }),
      60 * minute,
    );
    expect(startedAt.get('a1')).toBe(1);
  });
});
