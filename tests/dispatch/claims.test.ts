import { describe, expect, test } from 'vitest';
import { decide } from '../../src/dispatch/decide.ts';
import type { Quota } from '../../src/dispatch/snapshot.ts';
import { choice, job, minute, pool, running, snapshot, tenant } from './snapshots.ts';
import { blocked, cores, preempted, started } from './words.ts';

const now = 10 * minute;
const whole = (cpus: number) => choice({ cpus });
const wants = (cpus: number) => ({ choices: [whole(cpus)] });
const runs = (id: string, tenantId: string, cpus: number, overrides: Parameters<typeof running>[3] = {}) =>
  running(id, tenantId, 1000 * minute, { choice: whole(cpus), ...overrides });
const uses = (id: string, cpus: number, overrides: Parameters<typeof tenant>[1] = {}) =>
  tenant(id, { accelerators: { cpu: cpus }, running: cpus > 0 ? 1 : 0, ...overrides });
const gone = { isStopping: true, endsAt: { p50: now + minute, p90: now + minute } };
const rules = { minRuntimeMs: minute, preemptsLowerPriority: false, concentration: undefined };
const at = (cpus: number, overrides: Parameters<typeof snapshot>[0]) =>
  snapshot({ now, rules, pools: [pool({ cpus })], ...overrides });

describe('what others free for a job nobody else gets, also in the rounds after', () => {
  test('where another tenant has used less than the one that is guaranteed it', () => {
    const tenants = [uses('g', 0, { decayedUse: 1e6, quotas: cores(2) }), uses('b', 0), uses('x', 4)];
    // Its turn comes by what it has used: the job before it in its queue is beyond its guarantee.
    const claimant = job('small', 'g', { ...wants(2), queuedAt: 1 });
    const others = [job('large', 'g', { ...wants(8), priority: 90 }), job('b1', 'b', { ...wants(2), queuedAt: 0 })];
    const first = decide(
      at(0, { tenants, queued: [claimant, ...others], running: [runs('x1', 'x', 2), runs('x2', 'x', 2)] }),
    );
    expect(preempted(first)).toEqual(['x1 for small']);
    const queued = [{ ...claimant, hasClaim: true }, ...others];
    const ending = decide(at(0, { tenants, queued, running: [runs('x1', 'x', 2, gone), runs('x2', 'x', 2)] }));
    expect([preempted(ending), started(ending)]).toEqual([[], []]);
    const free = decide(at(2, { tenants, queued, running: [runs('x2', 'x', 2)] }));
    expect([preempted(free), started(free)]).toEqual([[], ['small']]);
  });

  test('where a job made way for one of its own tenant with a higher priority', () => {
    const lower = { ...rules, preemptsLowerPriority: true };
    const tenants = [uses('a', 2, { decayedUse: 1e6 }), uses('b', 0)];
    const low = (id: string, overrides = {}) => runs(id, 'a', 1, { priority: 10, ...overrides });
    const high = job('high', 'a', { ...wants(1), priority: 90 });
    const b1 = job('b1', 'b', wants(1));
    const running1 = [low('low1', gone), low('low2')];
    const claimed = [{ ...high, hasClaim: true }, b1];
    const ending = decide(at(0, { rules: lower, tenants, queued: claimed, running: running1 }));
    expect([preempted(ending), started(ending)]).toEqual([[], []]);
    // Nor does one that may not have others make way claim what ends for other reasons.
    expect(blocked(decide(at(0, { rules: lower, tenants, queued: [b1], running: running1 })))).toEqual([
      'b1: capacity',
    ]);
    const reserved = decide(at(0, { rules: lower, tenants, queued: [b1], running: running1 })).waits[0]?.reserved;
    expect(reserved?.startsAt).toBe(now + minute);
    const free = decide(at(1, { rules: lower, tenants, queued: claimed, running: [low('low2')] }));
    expect(started(free)).toEqual(['high']);
  });

  test('where its organisation is above its own guarantee', () => {
    const tenants = [
      uses('o', 4, { quotas: cores(4), decayedUse: 1e6 }),
      uses('t1', 0, { parent: 'o', quotas: cores(2) }),
      uses('t2', 4, { parent: 'o', quotas: cores(2), decayedUse: 1e6 }),
      uses('b', 0),
    ];
    const queued = [job('t1j', 't1', { ...wants(2), hasClaim: true }), job('b1', 'b', wants(2))];
    const free = decide(at(2, { tenants, queued, running: [runs('t2a', 't2', 2), runs('t2b', 't2', 2)] }));
    expect([preempted(free), started(free)]).toEqual([[], ['t1j']]);
  });

  test('and its own tenant starts nothing that would leave it too little of a cap', () => {
    const caps = { runningJobs: 1, accelerators: {}, petaflops: Infinity };
    const tenants = [uses('g', 0, { caps, quotas: cores(4) }), uses('x', 4)];
    const queued = [job('large', 'g', wants(4)), job('small', 'g', { ...wants(1), queuedAt: 1 })];
    const decisions = decide(at(2, { tenants, queued, running: [runs('x1', 'x', 4)] }));
    expect(preempted(decisions)).toEqual(['x1 for large']);
    expect(blocked(decisions)).toEqual(['large: capacity', 'small: cap capacity']);
  });
});

describe('nobody makes way in vain', () => {
  const kept = (guaranteed: number): { cpu: Quota } => cores(guaranteed, { lending: 0 });

  test('where the room would be kept for another team’s guarantee', () => {
    const tenants = [
      uses('o', 0, { quotas: cores(8) }),
      uses('t1', 0, { parent: 'o', quotas: kept(4) }),
      uses('t2', 0, { parent: 'o' }),
      uses('x', 4),
    ];
    const asks = (cpus: number) =>
      decide(at(4, { tenants, queued: [job('j', 't2', wants(cpus))], running: [runs('x1', 'x', 4)] }));
    expect(preempted(asks(6))).toEqual([]);
    expect(preempted(asks(4))).toEqual(['x1 for j']);
  });

  test('where its own going brings the victim’s tenant below what it does not lend', () => {
    const tenants = [
      uses('o', 0, { quotas: cores(4) }),
      uses('t', 0, { parent: 'o' }),
      uses('x', 6, { quotas: kept(4) }),
    ];
    const from = { tenants, queued: [job('j', 't', wants(4))], running: [runs('x1', 'x', 6)] };
    expect(preempted(decide(at(0, from)))).toEqual([]);
    expect(preempted(decide(at(2, from)))).toEqual(['x1 for j']);
  });

  test('where another of its choices needs nobody to', () => {
    const on = (provider: string) => choice({ cpus: 4, provider, optionId: provider });
    const decisions = decide(
      snapshot({
        now,
        rules,
        tenants: [uses('g', 0, { quotas: cores(4) }), uses('x', 8)],
        pools: [pool({ provider: 'one', cpus: 0 }), pool({ provider: 'two', cpus: 0 })],
        running: [
          running('v', 'x', 600 * minute, { choice: on('one') }),
          running('s', 'x', 600 * minute, { choice: on('two'), ...gone }),
        ],
        queued: [job('j', 'g', { choices: [on('one'), on('two')] })],
      }),
    );
    expect(preempted(decisions)).toEqual([]);
    expect(blocked(decisions)).toEqual(['j: capacity']);
  });
});

test('all that make way together leave a tenant what it is guaranteed', () => {
  const tenants = [
    uses('v', 6, { quotas: cores(4) }),
    uses('g1', 0, { quotas: cores(2) }),
    uses('g2', 0, { quotas: cores(2) }),
  ];
  const queued = [job('j1', 'g1', wants(2)), job('j2', 'g2', wants(2))];
  const three = (first = {}) => [runs('v1', 'v', 2, first), runs('v2', 'v', 2), runs('v3', 'v', 2)];
  expect(preempted(decide(at(0, { tenants, queued, running: three() })))).toEqual(['v1 for j1']);
  const [j1, ...others] = queued;
  const next = j1 === undefined ? others : [{ ...j1, hasClaim: true }, ...others];
  expect(preempted(decide(at(0, { tenants, queued: next, running: three(gone) })))).toEqual([]);
});

test('jobs that cannot make a place cost no more than a look at those that run', () => {
  const caps = { runningJobs: 5, accelerators: {}, petaflops: Infinity };
  const tenants = [uses('g', 5, { running: 5, caps, quotas: cores(100) }), uses('x', 2000)];
  const crowded = at(50, {
    tenants,
    running: [
      ...Array.from({ length: 2000 }, (_, n) => runs(`x${n}`, 'x', 1)),
      ...Array.from({ length: 5 }, (_, n) => runs(`g${n}`, 'g', 1)),
    ],
    queued: Array.from({ length: 50 }, (_, n) => job(`j${n}`, 'g', wants(1))),
  });
  const before = process.cpuUsage();
  expect(preempted(decide(crowded))).toEqual([]);
  const { user, system } = process.cpuUsage(before);
  // It took 6 s of the processor when each of them tried all that run, one after another.
  expect((user + system) / 1e6).toBeLessThan(1);
});
