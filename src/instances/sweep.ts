import type { Database } from '../db/database.ts';
import type { Announce } from '../jobs/announce.ts';
import { stopHeld } from '../jobs/stop.ts';
import { lockJob } from '../jobs/store.ts';
import { toTrack } from '../quotes/progress.ts';
import type { Provider, SeenInstance } from '../providers/provider.ts';
import type { WakeLaunch } from './launch.ts';
import type { Meter } from './meter.ts';
import { isUp, plan, type AttemptFacts, type Limits, type Step } from './plan.ts';
import { findActiveAttempt, listActiveAttempts, type ActiveAttempt } from './attempt-store.ts';
import { listUnwanted } from './store.ts';

export type SweepDeps = {
  db: Database;
  providers: Provider[];
  limits: () => Limits;
  meter: Meter;
  announce: Announce;
  wakeDispatch: () => void;
  wakeLaunch: WakeLaunch;
  wakeSettle: (attemptId: string) => Promise<void>;
  onError: (error: unknown) => void;
};

/**
 * Finds again whatever a lost message or a killed process left undone, and machines that no row wants. Runs on a timer in
 * each worker: a schedule kept in the queue would be lost with it.
 */
export function createSweep(deps: SweepDeps) {
  const { db, providers, onError } = deps;
  const sinceGap = createSinceGap();
  const destroyStrays = createDestroyStrays(deps);
  return async (): Promise<void> => {
    deps.wakeDispatch();
    // Listed before the rows are read: a row is committed before its machine is made, so what is shown without a row is a stray.
    const listings = await listAll(deps);
    // So is the clock: however long the round takes, no row is judged by a time at which it would have said something else.
    const read = deps.limits();
    const attempts = await listActiveAttempts(db.client);
    const limits = sinceGap(read);
    for (const attempt of attempts) {
      const round = roundOf(attempt, { listings, limits, providers });
      // One that can't be helped must not keep the others from it.
      await carryOut(attempt, factsOf(attempt, round), round, deps).catch(onError);
    }
    await withPatience(providers.map((each) => destroyStrays(each, listings.get(each.name)?.instances ?? [])));
  };
}

/** Whoever was not there for this part of a lease can't say who was silent. */
const gapPart = 0.5;

/** Where no round could read the rows for long, the database was away, and with it whoever heard the runners: we count as up since then. */
function createSinceGap(): (limits: Limits) => Limits {
  let upSince: Date | undefined;
  let readAt: Date | undefined;
  return (limits) => {
    const { now, leaseMs } = limits;
    if (readAt !== undefined && now.getTime() - readAt.getTime() > gapPart * leaseMs) upSince = now;
    readAt = now;
    return { ...limits, upSince: upSince ?? limits.upSince };
  };
}

/** `names`: of those that are not off. */
type Listing = { at: Date; instances: SeenInstance[]; names: Set<string> };

/** What an attempt is looked at with. Where its provider could not be asked, nothing may be concluded of its machines. */
type Round = { listing: Listing | undefined; limits: Limits; isMadeTogether: boolean };

type Around = { listings: Map<string, Listing>; limits: Limits; providers: Provider[] };

/** A machine that may wait for capacity has that much longer to come up. */
function roundOf({ offer }: ActiveAttempt, { listings, limits, providers }: Around): Round {
  const provider = providers.find(({ name }) => name === offer.provider);
  return {
    listing: listings.get(offer.provider),
    limits: { ...limits, bootMs: limits.bootMs + (provider?.capacityWaitMs ?? 0) },
    isMadeTogether: provider?.madeTogether?.(offer.machineType) ?? false,
  };
}

/** A provider that takes longer is not waited for: limits are kept without it. */
const patienceMs = 10_000;

async function withPatience(work: Promise<unknown>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise((resolve) => (timer = setTimeout(resolve, patienceMs)));
  await Promise.race([enough, Promise.all(work)]);
  clearTimeout(timer);
}

/** Without an entry where a provider could not be asked. */
async function listAll({ providers, limits, onError }: SweepDeps): Promise<Map<string, Listing>> {
  const listings = new Map<string, Listing>();
  const list = async (provider: Provider): Promise<void> => {
    const at = limits().now;
    const instances = await provider.list();
    listings.set(provider.name, { at, instances, names: new Set(instances.filter(isUp).map(({ name }) => name)) });
  };
  await withPatience(providers.map((provider) => list(provider).catch(onError)));
  // What comes later is of another time than the rows.
  return new Map(listings);
}

async function carryOut(attempt: ActiveAttempt, facts: AttemptFacts, round: Round, deps: SweepDeps): Promise<void> {
  const { id, jobId, number } = attempt;
  const { meter, announce, wakeLaunch, wakeSettle } = deps;
  const step = plan(facts, round.limits);
  switch (step.do) {
    case 'launch':
      for (const instanceId of step.instanceIds) await wakeLaunch({ id: instanceId, provider: attempt.offer.provider });
      return;
    case 'settle':
      return wakeSettle(id);
    case 'stop':
      return stop(attempt, round, deps);
    case 'announce':
      await announce({ jobId, attempt: number, type: step.type, message: step.message });
      return carryOut(attempt, { ...facts, announced: [...facts.announced, step.type] }, round, deps);
    case 'meter':
      return meter({ id, jobId, number });
    case 'wait':
      return;
  }
}

/** Decides once more under the job's lock: since the rows were read a runner may have been heard, and money been written. */
async function stop({ id, jobId, number }: ActiveAttempt, round: Round, deps: SweepDeps): Promise<void> {
  const isStopped = await deps.db.transaction(async (tx) => {
    const job = await lockJob(tx, jobId);
    const attempt = await findActiveAttempt(tx, id);
    const step: Step = attempt === undefined ? { do: 'wait' } : plan(factsOf(attempt, round), round.limits);
    if (step.do !== 'stop') return false;
    const { reason, message } = step;
    const wish = { jobId, attempt: number, reason, message, exitCode: null, at: deps.limits().now };
    return (await stopHeld(tx, job, wish)) !== undefined;
  });
  if (isStopped) await deps.wakeSettle(id);
}

function factsOf(attempt: ActiveAttempt, { listing, limits, isMadeTogether }: Round): AttemptFacts {
  const isListed = (name: string): boolean => listing === undefined || listing.names.has(name);
  return {
    ...attempt,
    track: toTrack(attempt.progress),
    isMadeTogether,
    listedAt: listing?.at ?? limits.now,
    instances: attempt.instances.map((row) => ({
      ...row,
      isListed: isListed(row.name),
      hasReported: row.reported !== null,
    })),
  };
}

/** Of each provider one run at a time: of those that it is slow to delete the next rounds would only ask again. */
function createDestroyStrays({ db, onError }: SweepDeps) {
  const busy = new Set<string>();
  const destroyEach = async (provider: Provider, listed: SeenInstance[]): Promise<void> => {
    const unwanted = await listUnwanted(
      db.client,
      listed.map(({ name }) => name),
    );
    for (const { name, zone } of listed) {
      if (unwanted.has(name)) await provider.destroy({ name, zone }).catch(onError);
    }
  };
  return async (provider: Provider, listed: SeenInstance[]): Promise<void> => {
    if (busy.has(provider.name)) return;
    busy.add(provider.name);
    await destroyEach(provider, listed)
      .catch(onError)
      .finally(() => busy.delete(provider.name));
  };
}
