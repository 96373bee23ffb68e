import { describe, expect, test } from 'vitest';
import { decide } from '../../src/dispatch/decide.ts';
import type { Decisions } from '../../src/dispatch/decisions.ts';
import { choice, job, minute, pool, running, snapshot, tenant } from './snapshots.ts';
import { blocked, cores, sized, started } from './words.ts';

const reserved = ({ waits }: Decisions) =>
  Object.fromEntries(waits.flatMap(({ jobId, reserved: by }) => (by === undefined ? [] : [[jobId, by.startsAt]])));
const small = (id: string, tenantId: string, endsAt: number) => running(id, tenantId, endsAt, { startedAt: -minute });
/** Of one core each, one after another. */
const sevenOf = (tenantId: string) => [1, 2, 3, 4, 5, 6, 7].map((n) => small(`s${n}`, tenantId, n * minute));

describe('a gang is not starved by small jobs', () => {
  test('where what is free is kept for a guarantee', () => {
    const tenants = [
      tenant('g', { quotas: cores(4, { lending: 0 }) }),
      tenant('a'),
      tenant('b', { decayedUse: 5, running: 3, accelerators: { cpu: 3 } }),
    ];
    const decisions = decide(
      snapshot({
        tenants,
        pools: [pool({ cpus: 5 })],
        running: [1, 2, 3].map((n) => small(`b${n}`, 'b', n * minute)),
        queued: [job('gang', 'a', sized(4)), job('b9', 'b', sized(1))],
      }),
    );
    expect(started(decisions)).toEqual([]);
    expect(blocked(decisions)).toEqual(['gang: quota', 'b9: reservation']);
    expect(reserved(decisions)).toEqual({ gang: 3 * minute });
  });

  test('nor does that hold back whoever the guarantee is of', () => {
    const decisions = decide(
      snapshot({
        tenants: [
          tenant('g', { quotas: cores(4, { lending: 0 }), decayedUse: 9 }),
          tenant('a'),
          tenant('b', { running: 3, accelerators: { cpu: 3 } }),
        ],
        pools: [pool({ cpus: 5 })],
        running: [1, 2, 3].map((n) => small(`b${n}`, 'b', n * minute)),
        // Its first job is beyond the guarantee, so that the gang comes before both.
        queued: [
          job('gang', 'a', sized(4)),
          job('large', 'g', { priority: 90, ...sized(9) }),
          job('own', 'g', sized(4)),
        ],
      }),
    );
    expect(started(decisions)).toEqual(['own']);
  });

  test('where it lacks capacity and a cap at once: both are held from when the later is there', () => {
    const caps = { runningJobs: Infinity, accelerators: { cpu: 8 }, petaflops: Infinity };
    const from = (a: Parameters<typeof tenant>[1]) =>
      decide(
        snapshot({
          tenants: [tenant('a', { running: 7, accelerators: { cpu: 7 }, ...a })],
          pools: [pool({ cpus: 1 })],
          running: sevenOf('a'),
          queued: [job('gang', 'a', sized(8)), job('small', 'a', { queuedAt: 1, ...sized(1) })],
        }),
      );
    for (const decisions of [from({ caps }), from({})]) {
      expect(started(decisions)).toEqual([]);
      expect(reserved(decisions)).toEqual({ gang: 7 * minute });
    }
    expect(blocked(from({ caps }))).toEqual(['gang: cap capacity', 'small: reservation']);
  });

  test('where its tenant, alone, is above a soft share cap', () => {
    const used = { ownPetaflopSeconds: 1e6, poolPetaflopSeconds: 1e6, floorPetaflopSeconds: 1e5 };
    const shareCap = { share: 0.35, mode: 'soft' as const, ...used };
    const decisions = decide(
      snapshot({
        tenants: [tenant('a', { shareCap, running: 7, accelerators: { cpu: 7 } })],
        pools: [pool({ cpus: 1 })],
        running: sevenOf('a'),
        queued: [job('gang', 'a', sized(8)), job('small', 'a', { queuedAt: 1, ...sized(1) })],
      }),
    );
    expect(started(decisions)).toEqual([]);
    expect(reserved(decisions)).toEqual({ gang: 7 * minute });
  });
});

describe('limits', () => {
  const hour = 60 * minute;

  test('a reservation of several is for when the last of them is there', () => {
    const caps = { runningJobs: 2, accelerators: { cpu: 8 }, petaflops: Infinity };
    const decisions = decide(
      snapshot({
        tenants: [tenant('a', { caps, running: 2, accelerators: { cpu: 8 } })],
        pools: [pool({ cpus: 8 })],
        running: [
          running('r1', 'a', hour, { choice: choice({ cpus: 4 }) }),
          running('r2', 'a', 10 * hour, { choice: choice({ cpus: 4 }) }),
        ],
        queued: [job('j', 'a', sized(8))],
      }),
    );
    expect(reserved(decisions)).toEqual({ j: 10 * hour });
  });

  test('only the first job of those that wait at one reserves it', () => {
    const caps = { runningJobs: 1, accelerators: {}, petaflops: Infinity };
    const decisions = decide(
      snapshot({
        tenants: [tenant('a', { caps, running: 1 })],
        running: [running('r', 'a', hour)],
        queued: [1, 2, 3].map((n) => job(`j${n}`, 'a', { queuedAt: n })),
      }),
    );
    expect(reserved(decisions)).toEqual({ j1: hour });
  });

  test('sums of speeds do not pass a cap by what a number can’t say exactly', () => {
    const caps = { runningJobs: Infinity, accelerators: {}, petaflops: 0.3 };
    const petaflops = 0.1;
    const queued = [1, 2, 3, 4].map((n) => job(`j${n}`, 'a', { choices: [choice({ petaflops })] }));
    // 0.1 + 0.1 + 0.1 is a little more than 0.3.
    expect(started(decide(snapshot({ tenants: [tenant('a', { caps })], queued })))).toEqual(['j1', 'j2', 'j3']);
  });
});

test('a job that has run past its time holds back nobody who would be done long before it is expected to be', () => {
  const short = { choices: [choice({ durationMs: { p50: minute, p90: minute } })] };
  const from = (now: number) =>
    decide(
      snapshot({
        now,
        tenants: [tenant('a'), tenant('b', { decayedUse: 9 }), tenant('x', { running: 1 })],
        pools: [pool({ cpus: 7 })],
        running: [running('over', 'x', 10 * minute)],
        queued: [job('gang', 'a', sized(8)), job('short', 'b', short), job('long', 'b', { queuedAt: 1, ...sized(1) })],
      }),
    );
  const overdue = from(25 * minute);
  expect(started(overdue)).toEqual(['short']);
  // Ten minutes, as long again, and as long as that again.
  expect(reserved(overdue)).toEqual({ gang: 40 * minute });
});

describe('what can never fit', () => {
  const used = { ownPetaflopSeconds: 90, poolPetaflopSeconds: 100, floorPetaflopSeconds: 1 };
  const shareCap = { share: 0.35, mode: 'soft' as const, ...used };
  const beside = (other: ReturnType<typeof sized>) =>
    started(
      decide(
        snapshot({
          tenants: [tenant('a', { shareCap }), tenant('b')],
          pools: [pool({ cpus: 4 })],
          running: [running('r', 'b', minute, { choice: choice({ cpus: 4 }) })],
          queued: [job('ja', 'a', sized(1)), job('other', 'b', other)],
        }),
      ),
    );

  test('holds back nobody who is above a soft share cap', () => {
    expect(beside(sized(8))).toEqual([]);
    expect(beside(sized(9))).toEqual(['ja']);
  });
});
