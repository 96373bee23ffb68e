import { formatUsd, fromUsd, toUsd } from '../core/money.ts';
import { parseDuration } from '../core/time.ts';
import type { StopReason } from '../jobs/state.ts';
import type { SeenInstance } from '../providers/provider.ts';
import { announcementOf, type Announced, type Announcement } from './announcements.ts';
import { accruedMicroUsd, spentMicroUsd } from './cost.ts';

/** What the sweep knows of one machine: its row, and whether its provider shows it as one that is not off. */
export type SeenRow = {
  id: string;
  node: number;
  name: string;
  state: 'requested' | 'booting' | 'ready' | 'gone';
  isListed: boolean;
  hasReported: boolean;
  requestedAt: Date;
  /** When its provider was asked for it first. */
  askedAt: Date | null;
  createdAt: Date | null;
  /** When its runner was last heard. */
  heartbeatAt: Date | null;
  goneAt: Date | null;
};

export type AttemptFacts = Omit<Announced, 'instances'> & {
  reason: string | null;
  stoppingAt: Date | null;
  instances: SeenRow[];
  /** Its provider makes them all when it is asked for the first. */
  isMadeTogether: boolean;
  /** When the provider was asked what it shows. */
  listedAt: Date;
  /** Of the job: what it has in reserve. */
  reservedMicroUsd: number;
};

export type Limits = {
  now: Date;
  /** When this process came up, or its database: a runner that could not reach us before gets a whole lease to do so. */
  upSince: Date;
  bootMs: number;
  leaseMs: number;
  graceMs: number;
  stopMs: number;
};

export type Step =
  | { do: 'wait' }
  | { do: 'launch'; instanceIds: string[] }
  | { do: 'settle' }
  | { do: 'meter' }
  | ({ do: 'announce' } & Announcement)
  | { do: 'stop'; reason: StopReason; message: string };

/** A launch that has not come through after so long is sent again. */
const relaunchMs = 2_000;
/** A machine made shortly before its provider was asked may not be in the answer. */
const listingMs = 5_000;
/** The runner keeps the job's own limit; the broker steps in when it has not. */
const backstopMs = 60_000;

/** What has to happen next for an attempt that has not ended. Pure: the table of the sweep. */
export function plan(attempt: AttemptFacts, limits: Limits): Step {
  const { now } = limits;
  if (attempt.state === 'stopping') return { do: 'settle' };
  const vanished = attempt.instances.find((instance) => isVanished(instance, attempt.listedAt));
  if (vanished !== undefined) return stopVanished(attempt, vanished.name);
  // Before the limit itself, which a job may reach between two looks.
  const announcement = announcementOf(attempt, now);
  if (announcement !== undefined) return { do: 'announce', ...announcement };
  const lateness = tooLate(attempt, limits) ?? tooDear(attempt, now);
  if (lateness !== undefined) return lateness;
  const waiting = toAskFor(attempt).filter(
    ({ state, requestedAt }) => state === 'requested' && now.getTime() - requestedAt.getTime() > relaunchMs,
  );
  if (waiting.length > 0) return { do: 'launch', instanceIds: waiting.map(({ id }) => id) };
  return isDue(attempt, now) ? { do: 'meter' } : { do: 'wait' };
}

/** While the first is not there, nobody asks for those that are made with it. */
function toAskFor({ instances, isMadeTogether }: AttemptFacts): SeenRow[] {
  const [first] = instances;
  return isMadeTogether && first?.state === 'requested' ? [first] : instances;
}

function stop(reason: StopReason, message: string): Step {
  return { do: 'stop', reason, message };
}

/** Who takes a spot machine away need not wait until its runner has said so. */
function stopVanished({ offer: { market } }: AttemptFacts, name: string): Step {
  return market === 'spot'
    ? stop('preemption', `The spot machine ${name} was taken away before its runner could report.`)
    : stop('instance-vanished', `The machine ${name} is gone, and its runner had not reported.`);
}

/** One that is off is there until it is deleted, but does nothing any more. */
export function isUp(seen: SeenInstance | undefined): boolean {
  return seen !== undefined && seen.stoppedAt === undefined;
}

function isVanished({ state, isListed, hasReported, createdAt }: SeenRow, listedAt: Date): boolean {
  if (isListed || hasReported || createdAt === null) return false;
  return (state === 'booting' || state === 'ready') && listedAt.getTime() - createdAt.getTime() > listingMs;
}

/** When the last of its machines began to come up. What waits to be asked for does not come up yet. */
function bootsSince(attempt: AttemptFacts, now: Date): Date {
  const begins = toAskFor(attempt).map(({ createdAt, askedAt }) => createdAt ?? askedAt ?? now);
  return new Date(Math.max(...begins.map((begin) => begin.getTime())));
}

function tooLate(attempt: AttemptFacts, limits: Limits): Step | undefined {
  const { state, startedAt, instances, spec } = attempt;
  const { now, upSince, bootMs, leaseMs, graceMs } = limits;
  const bootsSinceMs = Math.max(bootsSince(attempt, now).getTime(), upSince.getTime());
  if (state === 'provisioning' && now.getTime() > bootsSinceMs + bootMs) {
    return stop('boot-timeout', `No runner came up within ${bootMs / 1000} s.`);
  }
  const silent = state === 'running' ? instances.find((instance) => isSilent(instance, startedAt, limits)) : undefined;
  if (silent !== undefined) {
    const which = instances.length === 1 ? 'The runner' : `The runner of node ${silent.node}`;
    return stop('heartbeat-lost', `${which} was not heard for ${leaseMs / 1000} s.`);
  }
  const maxMs = spec.maxDuration === undefined ? Infinity : parseDuration(spec.maxDuration) + graceMs + backstopMs;
  if (startedAt !== null && now.getTime() > startedAt.getTime() + maxMs) {
    return stop('max-duration', `The job ran longer than its maxDuration of ${spec.maxDuration}.`);
  }
  return undefined;
}

/** Each node by itself: the others of its gang would wait for one that hangs as long as they may. */
function isSilent(
  { hasReported, heartbeatAt }: SeenRow,
  startedAt: Date | null,
  { now, upSince, leaseMs }: Limits,
): boolean {
  const heardMs = (heartbeatAt ?? startedAt ?? now).getTime();
  return !hasReported && now.getTime() > Math.max(heardMs, upSince.getTime()) + leaseMs;
}

function tooDear(attempt: AttemptFacts, now: Date): Step | undefined {
  const { maxCostUsd } = attempt.spec;
  if (maxCostUsd === undefined) return undefined;
  const cost = spentMicroUsd(attempt, now);
  if (cost < fromUsd(maxCostUsd)) return undefined;
  return stop('max-cost', `The job has cost ${formatUsd(toUsd(cost))}, its maxCostUsd is ${formatUsd(maxCostUsd)}.`);
}

/** What the accounts do not know yet is written into them each hour, and when it is more than the job has in reserve. */
function isDue(attempt: AttemptFacts, now: Date): boolean {
  const unaccounted = accruedMicroUsd(attempt, now) - attempt.costMicroUsd;
  return unaccounted > Math.min(attempt.reservedMicroUsd, fromUsd(attempt.offer.hourlyUsd));
}

const unheard = new Set<string>([
  'heartbeat-lost',
  'boot-timeout',
  'instance-vanished',
  'no-capacity',
  'provisioning-failed',
]);

/** Their jobs have nothing left in reserve: what they cost from then on may be beyond the budget. */
const usedUp = new Set<string>(['budget', 'max-cost']);

/** A budget is kept to within a minute of what runs: a job that has used up what it had gets this long at most, the rest is for rounds and clouds. */
const beyondReserveMs = 40_000;

/** Whether a machine of a stopping attempt may be taken away: its runner has said all it had, or won't any more. */
export function mayDestroy(
  { reason, stoppingAt }: Pick<AttemptFacts, 'reason' | 'stoppingAt'>,
  instance: Pick<SeenRow, 'isListed' | 'hasReported'>,
  { now, graceMs, stopMs }: Limits,
): boolean {
  if (instance.hasReported || !instance.isListed || (reason !== null && unheard.has(reason))) return true;
  const isUsedUp = reason !== null && usedUp.has(reason);
  const timeMs = isUsedUp ? Math.min(graceMs + stopMs, beyondReserveMs) : graceMs + stopMs;
  return now.getTime() > (stoppingAt ?? now).getTime() + timeMs;
}
