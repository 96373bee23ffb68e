import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide } from '../../src/dispatch/decide.ts';
import type { Decisions } from '../../src/dispatch/decisions.ts';
import type { QueuedJob } from '../../src/dispatch/snapshot.ts';
import { choice, job, minute, pool, running, snapshot } from './snapshots.ts';

const coresOf = (starts: Decisions['starts']) =>
  starts.reduce((sum, start) => sum + start.choice.accelerators.count, 0);

describe('with more capacity', () => {
  const anySizes = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 4 })), {
    maxLength: 12,
  });
  const withFree = (cpus: number, queued: QueuedJob[], runs = 0) =>
    decide(
      snapshot({
        queued,
        pools: [pool({ cpus })],
        running: Array.from({ length: runs }, (_, n) =>
          running(`r${n}`, 'x', (n + 1) * 7 * minute, { choice: choice({ cpus: 2 }) }),
        ),
      }),
    );

  test('no fewer cores are put to use', () => {
    fc.assert(
      fc.property(anySizes, fc.nat(12), fc.nat(12), (sizes, less, more) => {
        const queued = sizes.map(([id, cpus], n) => job(`j${n}`, id, { queuedAt: n, choices: [choice({ cpus })] }));
        const [small, large] = [withFree(less, queued), withFree(less + more, queued)];
        expect(coresOf(large.starts)).toBeGreaterThanOrEqual(coresOf(small.starts));
      }),
    );
  });

  test('of jobs alike, those that start start still', () => {
    fc.assert(
      fc.property(anySizes, fc.nat(12), fc.nat(12), (sizes, less, more) => {
        const queued = sizes.map(([id], n) => job(`j${n}`, id, { queuedAt: n }));
        const large = withFree(less + more, queued).starts.map(({ jobId }) => jobId);
        expect(large).toEqual(expect.arrayContaining(withFree(less, queued).starts.map(({ jobId }) => jobId)));
      }),
    );
  });

  test('no job is worse off unless one before it is better off', () => {
    const anyLengths = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 30 })), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(anyLengths, fc.nat(6), fc.nat(4), fc.nat(4), (lengths, free, more, runs) => {
        const queued = lengths.map(([cpus, p90], n) =>
          job(`j${n}`, 'a', {
            queuedAt: n,
            choices: [choice({ cpus, durationMs: { p50: p90 * minute, p90: p90 * minute } })],
          }),
        );
        const fate = ({ starts, waits }: Decisions, id: string) =>
          starts.some(({ jobId }) => jobId === id)
            ? -1
            : (waits.find(({ jobId }) => jobId === id)?.reserved?.startsAt ?? Infinity);
        const [small, large] = [withFree(free, queued, runs), withFree(free + more, queued, runs)];
        const first = queued.find(({ id }) => fate(small, id) !== fate(large, id));
        if (first !== undefined) expect(fate(large, first.id)).toBeLessThan(fate(small, first.id));
      }),
    );
  });
});
