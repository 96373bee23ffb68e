import type { Database } from '../db/database.ts';
import type { Announce } from '../jobs/announce.ts';
import type { Stop } from '../jobs/stop.ts';
import type { Offer } from '../protocol/quote.ts';
import { toTrack } from '../quotes/progress.ts';
import type { Provider, SeenInstance } from '../providers/provider.ts';
import type { Meter } from './meter.ts';
import { isUp, plan, type AttemptFacts, type Limits } from './plan.ts';
import { listActiveAttempts, type ActiveAttempt } from './attempt-store.ts';
import { listUnwanted } from './store.ts';

export type SweepDeps = {
  db: Database;
  providers: Provider[];
  limits: () => Limits;
  stop: Stop;
  meter: Meter;
  announce: Announce;
  wakeDispatch: () => void;
  wakeLaunch: (instanceId: string) => Promise<void>;
  wakeSettle: (attemptId: string) => Promise<void>;
  onError: (error: unknown) => void;
};

/**
 * Finds again whatever a lost message or a killed process left undone, and machines that no row wants. Runs on a timer in
 * each worker: a schedule kept in the queue would be lost with it.
 */
export function createSweep(deps: SweepDeps) {
  const { db, providers, onError } = deps;
  return async (): Promise<void> => {
    deps.wakeDispatch();
    // Listed before the rows are read: a row is committed before its machine is made, so what is shown without a row is a stray.
    const listings = await listAll(deps);
    for (const attempt of await listActiveAttempts(db.client)) {
      const listing = listings.get((attempt.offer as unknown as Offer).provider);
      // One that can't be helped must not keep the others from it.
      if (listing !== undefined) await carryOut(attempt, factsOf(attempt, listing), deps).catch(onError);
    }
    for (const provider of providers) await destroyStrays(provider, listings.get(provider.name)?.instances ?? [], deps);
  };
}

/** `names`: of those that are not off. */
type Listing = { at: Date; instances: SeenInstance[]; names: Set<string> };

/** Without an entry where a provider could not be asked: nothing may be concluded of its machines then. */
async function listAll({ providers, limits, onError }: SweepDeps): Promise<Map<string, Listing>> {
  const listings = new Map<string, Listing>();
  const list = async (provider: Provider): Promise<void> => {
    const at = limits().now;
    const instances = await provider.list();
    listings.set(provider.name, { at, instances, names: new Set(instances.filter(isUp).map(({ name }) => name)) });
  };
  await Promise.all(providers.map((provider) => list(provider).catch(onError)));
  return listings;
}

async function carryOut(attempt: ActiveAttempt, facts: AttemptFacts, deps: SweepDeps): Promise<void> {
  const { id, jobId, number } = attempt;
  const { limits, stop, meter, announce, wakeLaunch, wakeSettle } = deps;
  const step = plan(facts, withWait(limits(), facts, deps));
  switch (step.do) {
    case 'launch':
      for (const instanceId of step.instanceIds) await wakeLaunch(instanceId);
      return;
    case 'settle':
      return wakeSettle(id);
    case 'stop':
      await stop({ jobId, attempt: number, reason: step.reason, message: step.message });
      return;
    case 'announce':
      await announce({ jobId, attempt: number, type: step.type, message: step.message });
      return carryOut(attempt, { ...facts, announced: [...facts.announced, step.type] }, deps);
    case 'meter':
      return meter({ id, jobId, number });
    case 'wait':
      return;
  }
}

/** A machine that may wait for capacity has that much longer to come up. */
function withWait(limits: Limits, { offer }: AttemptFacts, { providers }: SweepDeps): Limits {
  const { capacityWaitMs = 0 } = providers.find(({ name }) => name === offer.provider) ?? {};
  return { ...limits, bootMs: limits.bootMs + capacityWaitMs };
}

function factsOf(attempt: ActiveAttempt, { at, names }: Listing): AttemptFacts {
  const { job, instances, offer } = attempt;
  return {
    ...attempt,
    offer: offer as unknown as Offer,
    chargedMicroUsd: Number(job.chargedMicroUsd),
    reservedMicroUsd: Number(job.reservedMicroUsd),
    announced: job.announced,
    track: toTrack(job.progress),
    costMicroUsd: Number(attempt.costMicroUsd),
    listedAt: at,
    instances: instances.map((row) => ({ ...row, isListed: names.has(row.name), hasReported: row.reported !== null })),
  };
}

async function destroyStrays(provider: Provider, listed: SeenInstance[], { db, onError }: SweepDeps): Promise<void> {
  const unwanted = await listUnwanted(
    db.client,
    listed.map(({ name }) => name),
  );
  for (const { name, zone } of listed) {
    if (unwanted.has(name)) await provider.destroy({ name, zone }).catch(onError);
  }
}
