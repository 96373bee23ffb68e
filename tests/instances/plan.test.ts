import { describe, expect, test } from 'vitest';
import { mayDestroy, plan, type AttemptFacts, type Limits, type SeenRow } from '../../src/instances/plan.ts';

const start = new Date('2026-01-01T00:00:00Z');
const later = (seconds: number) => new Date(start.getTime() + seconds * 1000);
const limits = (seconds: number): Limits => ({
  now: later(seconds),
  upSince: start,
  bootMs: 60_000,
  leaseMs: 30_000,
  graceMs: 10_000,
  stopMs: 20_000,
});

const offer = {
  id: 'o',
  provider: 'local',
  region: 'local',
  zone: null,
  machineType: 'local',
  accelerators: { kind: 'cpu', count: 1 },
  nodes: 1,
  market: 'on-demand',
  hourlyUsd: 3600,
  priceDate: '2026-01-01',
} as const;
const machine = (overrides: Partial<SeenRow> = {}): SeenRow => ({
  id: 'i',
  node: 0,
  name: 'weir-x',
  state: 'ready',
  isListed: true,
  hasReported: false,
  requestedAt: start,
  askedAt: start,
  createdAt: start,
  heartbeatAt: later(1000),
  goneAt: null,
  ...overrides,
});
const attempt = (overrides: Partial<AttemptFacts> = {}): AttemptFacts => ({
  state: 'running',
  reason: null,
  startedAt: start,
  stoppingAt: null,
  instances: [machine()],
  isMadeTogether: false,
  listedAt: start,
  spec: {},
  offer,
  chargedMicroUsd: 0,
  reservedMicroUsd: 100_000_000,
  costMicroUsd: 0,
  number: 1,
  announced: [],
  earlierMs: 0,
  quoted: null,
  track: null,
  ...overrides,
});

const provisioning = (...machines: Partial<SeenRow>[]) =>
  attempt({
    state: 'provisioning',
    startedAt: null,
    instances: machines.map((each, node) => machine({ node, ...each })),
  });
const toCome = { state: 'requested', createdAt: null, isListed: false } as const;
const unasked = { ...toCome, askedAt: null };

describe('what the sweep does', () => {
  const told = ['cost.nearing-limit'];
  const cases: [string, AttemptFacts, number, string][] = [
    ['a running job is left alone', attempt(), 10, 'wait'],
    ['a stopping job is settled', attempt({ state: 'stopping' }), 10, 'settle'],
    ['a machine that was never asked for is asked for again', attempt({ state: 'provisioning', instances: [machine({ state: 'requested', createdAt: null, isListed: false })] }), 5, 'launch'],
    ['a machine just made may not be listed yet', attempt({ instances: [machine({ isListed: false })] }), 3, 'wait'],
    ['a machine that its provider no longer shows is lost', attempt({ instances: [machine({ isListed: false })] }), 10, 'stop instance-vanished'],
    ['a machine whose runner has reported may be gone', attempt({ instances: [machine({ isListed: false, hasReported: true })] }), 10, 'wait'],
    ['no runner within the boot time', provisioning({}), 61, 'stop boot-timeout'],
    ['a machine that was asked for and is not made within the boot time', provisioning(toCome), 61, 'stop boot-timeout'],
    ['a machine that its provider made late has its boot time from then', provisioning({ createdAt: later(30) }), 61, 'wait'],
    ['what waits to be asked for does not come up yet', provisioning({}, unasked), 61, 'launch'],
    ['of a gang the boot time counts from its last machine', provisioning({}, { createdAt: later(30) }), 61, 'wait'],
    ['hosts that are made with the first have its time', { ...provisioning(toCome, unasked), isMadeTogether: true }, 61, 'stop boot-timeout'],
    ['a lease that ran out', attempt({ instances: [machine({ heartbeatAt: later(10) })] }), 41, 'stop heartbeat-lost'],
    ['a lease that ran out while we were away', attempt({ instances: [machine({ heartbeatAt: later(-100) })] }), 29, 'wait'],
    ['a node that is not heard, however often the others are', attempt({ instances: [machine(), machine({ node: 1, heartbeatAt: later(10) })] }), 41, 'stop heartbeat-lost'],
    ['a node that has reported is silent by right', attempt({ instances: [machine(), machine({ node: 1, heartbeatAt: later(10), hasReported: true })] }), 41, 'wait'],
    ['a job far over its maxDuration', attempt({ spec: { maxDuration: '10s' } }), 81, 'stop max-duration'],
    ['a job that has cost its maximum', attempt({ spec: { maxCostUsd: 5 }, announced: told }), 6, 'stop max-cost'],
    ['earlier attempts count against the maximum', attempt({ chargedMicroUsd: 4_000_000, spec: { maxCostUsd: 5 }, announced: told }), 2, 'stop max-cost'],
    ['what has run past its reservation', attempt({ reservedMicroUsd: 5_000_000 }), 6, 'meter'],
    ['an hour that is not in the accounts', attempt({ reservedMicroUsd: 9e9, spec: {}, instances: [machine({ heartbeatAt: later(9999) })] }), 3601, 'meter'],
    ['an hour that is', attempt({ costMicroUsd: 3_600_000_000, reservedMicroUsd: 9e9, instances: [machine({ heartbeatAt: later(9999) })] }), 3601, 'wait'],
    ['what is in the accounts counts once', attempt({ chargedMicroUsd: 4_000_000, costMicroUsd: 4_000_000, spec: { maxCostUsd: 5 }, announced: told }), 4, 'wait'],
    ['a job near its maximum says so', attempt({ spec: { maxCostUsd: 5 } }), 4, 'announce'],
    ['a job that reached its maximum between two looks says so first', attempt({ spec: { maxCostUsd: 5 } }), 6, 'announce'],
  ]; // prettier-ignore
  test.each(cases)('%s', (_name, facts, seconds, wanted) => {
    const step = plan({ ...facts, listedAt: later(seconds) }, limits(seconds));
    expect(step.do === 'stop' ? `stop ${step.reason}` : step.do).toBe(wanted);
  });
});

test('of hosts that are made together the first is asked for; once it is there, the others', () => {
  const launched = (first: Partial<SeenRow>) => {
    const facts = { ...provisioning({ id: 'a', ...first }, { id: 'b', ...unasked }), isMadeTogether: true };
    return plan({ ...facts, listedAt: later(5) }, limits(5));
  };
  expect(launched(toCome)).toEqual({ do: 'launch', instanceIds: ['a'] });
  expect(launched({ state: 'booting' })).toEqual({ do: 'launch', instanceIds: ['b'] });
});

test('a machine of a stopping job keeps its time to deliver, unless there is nothing to wait for', () => {
  const stopping = { reason: 'cancelled', stoppingAt: start };
  expect(mayDestroy(stopping, machine(), limits(29))).toBe(false);
  expect(mayDestroy(stopping, machine(), limits(31))).toBe(true);
  expect(mayDestroy(stopping, machine({ hasReported: true }), limits(1))).toBe(true);
  expect(mayDestroy(stopping, machine({ isListed: false }), limits(1))).toBe(true);
  expect(mayDestroy({ reason: 'heartbeat-lost', stoppingAt: start }, machine(), limits(1))).toBe(true);
});

test('a job that has used up its budget, or all that it had in reserve, has less than a minute to deliver, whatever others have', () => {
  const patient = (seconds: number) => ({ ...limits(seconds), stopMs: 600_000 });
  expect(mayDestroy({ reason: 'cancelled', stoppingAt: start }, machine(), patient(60))).toBe(false);
  for (const reason of ['budget', 'max-cost']) {
    expect(mayDestroy({ reason, stoppingAt: start }, machine(), patient(39))).toBe(false);
    expect(mayDestroy({ reason, stoppingAt: start }, machine(), patient(41))).toBe(true);
  }
});
