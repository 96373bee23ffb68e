import { describe, expect, test } from 'vitest';
import { decide } from '../../src/dispatch/decide.ts';
import { job, minute, pool, running, snapshot, tenant } from './snapshots.ts';
import { blocked, cores, preempted, sized, started } from './words.ts';

describe('an organisation', () => {
  const org = tenant('org', { quotas: cores(3, { lending: 0 }) });
  const team = (id: string, overrides = {}) => tenant(id, { parent: 'org', ...overrides });

  test('its quota holds for its teams together', () => {
    const queued = [job('a1', 'a', sized(2)), job('b1', 'b', sized(2))];
    const tenants = [tenant('org', { quotas: cores(1, { borrowing: 1 }) }), team('a'), team('b')];
    const decisions = decide(snapshot({ queued, tenants }));
    expect(started(decisions)).toEqual(['a1']);
    expect(blocked(decisions)).toEqual(['b1: quota']);
  });

  test('its caps and its budget hold for its teams together', () => {
    const queued = [job('a1', 'a'), job('b1', 'b')];
    for (const limit of [{ caps: { ...org.caps, runningJobs: 1 } }, { budgetLeft: 1_500_000 }])
      expect(started(decide(snapshot({ queued, tenants: [tenant('org', limit), team('a'), team('b')] })))).toEqual([
        'a1',
      ]);
  });

  test('what one team leaves of its guarantee is its other teams’ before anybody else’s', () => {
    const queued = [job('b1', 'b', sized(2)), job('x1', 'x', sized(2))];
    const tenants = [org, team('a', { quotas: cores(3) }), team('b', { decayedUse: 1000 }), tenant('x')];
    const decisions = decide(snapshot({ queued, tenants, pools: [pool({ cpus: 3 })] }));
    expect(started(decisions)).toEqual(['b1']);
  });

  test('what it does not lend is kept for its teams', () => {
    const queued = [job('x1', 'x', sized(2)), job('b1', 'b', sized(3))];
    const decisions = decide(snapshot({ queued, tenants: [org, team('b', { decayedUse: 9 }), tenant('x')] }));
    expect(started(decisions)).toEqual(['b1']);
  });

  test('where it has no guarantee itself, what its team is guaranteed is the pool’s promise: first, and no more than that', () => {
    const queued = [job('a1', 'a'), job('a2', 'a', { queuedAt: 1 }), job('b1', 'b'), job('x1', 'x')];
    const teams = [team('a', { decayedUse: 900, quotas: cores(1) }), team('b', { decayedUse: 100 })];
    const tenants = [tenant('org', { decayedUse: 1000 }), ...teams, tenant('x')];
    const first = (cpus: number) => started(decide(snapshot({ queued, tenants, pools: [pool({ cpus })] })));
    expect(first(1)).toEqual(['a1']);
    expect(first(3)).toEqual(['a1', 'x1', 'b1']);
  });

  test('where it has no guarantee itself, what its team does not lend is kept from others and not from that team', () => {
    const queued = [job('x1', 'x'), job('b1', 'b'), job('a1', 'a', sized(2))];
    const tenants = [
      tenant('org'),
      team('a', { decayedUse: 9, quotas: cores(2, { lending: 0 }) }),
      team('b'),
      tenant('x'),
    ];
    const decisions = decide(snapshot({ queued, tenants, pools: [pool({ cpus: 2 })] }));
    expect(started(decisions)).toEqual(['a1']);
    const without = decide(snapshot({ queued: queued.slice(0, 2), tenants, pools: [pool({ cpus: 2 })] }));
    expect(blocked(without)).toEqual(['b1: quota', 'x1: quota']);
  });

  test('that its other teams have used its guarantee up gives a team no right to what others do not lend', () => {
    const queued = [job('a1', 'a')];
    const used = tenant('org', { quotas: cores(2), accelerators: { cpu: 2 } });
    const keeper = tenant('x', { quotas: cores(2, { lending: 0 }) });
    const tenants = [used, team('a', { quotas: cores(1) }), team('b', { accelerators: { cpu: 2 } }), keeper];
    expect(blocked(decide(snapshot({ queued, tenants, pools: [pool({ cpus: 2 })] })))).toEqual(['a1: quota']);
  });

  test('its own jobs are guaranteed nothing among its teams', () => {
    const queued = [job('o1', 'org'), job('a1', 'a')];
    const tenants = [org, team('a', { decayedUse: 5, quotas: cores(1) })];
    expect(started(decide(snapshot({ queued, tenants, pools: [pool({ cpus: 1 })] })))).toEqual(['a1']);
  });

  test('its own jobs do not pay for what teams have used that have nothing waiting', () => {
    const queued = [job('o1', 'org'), job('a1', 'a')];
    const teams = [team('a', { decayedUse: 5 }), team('b', { decayedUse: 100 })];
    const own = tenant('org', { decayedUse: 105, ownDecayedUse: 0 });
    expect(started(decide(snapshot({ queued, tenants: [own, ...teams], pools: [pool({ cpus: 1 })] })))).toEqual(['o1']);
  });

  test('organisations share as wholes, and teams inside them', () => {
    const queued = ['a', 'b', 'x'].flatMap((id) => [1, 2, 3, 4].map((n) => job(`${id}${n}`, id, { queuedAt: n })));
    const decisions = decide(snapshot({ queued, tenants: [tenant('org'), team('a'), team('b'), tenant('x')] }));
    expect(started(decisions)).toEqual(['a1', 'x1', 'b1', 'x2']);
  });
});

describe('preemption under an organisation without a guarantee', () => {
  const team = (id: string, used: number, guaranteed: number) =>
    tenant(id, { parent: 'org', accelerators: { cpu: used }, running: used, quotas: cores(guaranteed) });
  const org = (used: number) => tenant('org', { accelerators: { cpu: used }, running: used });
  const runs = (id: string, tenantId: string) => running(id, tenantId, 60 * minute, { startedAt: -30 * minute });
  const ask = (tenantId: string, tenants: ReturnType<typeof tenant>[], jobs: ReturnType<typeof runs>[]) =>
    preempted(decide(snapshot({ queued: [job('new', tenantId)], tenants, running: jobs, pools: [pool({ cpus: 0 })] })));

  test('its team gets back what it is guaranteed', () => {
    const x = tenant('x', { accelerators: { cpu: 1 }, running: 1 });
    expect(ask('a', [org(0), team('a', 0, 1), x], [runs('x1', 'x')])).toEqual(['x1 for new']);
  });

  test('none of a team makes way that is within its guarantee, though another of its organisation borrows', () => {
    const owner = tenant('owner', { quotas: cores(1) });
    const tenants = [owner, org(3), team('a', 2, 2), team('b', 1, 0)];
    const jobs = [runs('a1', 'a'), runs('a2', 'a'), runs('b1', 'b')];
    expect(ask('owner', tenants, jobs)).toEqual(['b1 for new']);
    expect(ask('owner', [owner, org(2), team('a', 2, 2)], jobs.slice(0, 2))).toEqual([]);
  });

  test('a team whose organisation has used up its guarantee gets its own back from within it', () => {
    const full = { ...org(2), quotas: cores(2) };
    const x = tenant('x', { accelerators: { cpu: 1 }, running: 1 });
    const jobs = [running('x1', 'x', 60 * minute, { startedAt: -2 * minute }), runs('b1', 'b'), runs('o1', 'org')];
    expect(ask('a', [full, team('a', 0, 1), team('b', 1, 0), x], jobs.slice(0, 2))).toEqual(['b1 for new']);
    expect(ask('a', [full, team('a', 0, 1), team('b', 1, 1), x], jobs)).toEqual(['o1 for new']);
  });
});
