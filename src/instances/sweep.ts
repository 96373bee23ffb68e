import type { Database } from '../db/database.ts';
import type { Stop } from '../jobs/stop.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Offer } from '../protocol/quote.ts';
import type { Provider, SeenInstance } from '../providers/provider.ts';
import { plan, type AttemptFacts, type Limits } from './plan.ts';
import { listActiveAttempts, listUnwanted, type ActiveAttempt } from './store.ts';

export type SweepDeps = {
  db: Database;
  providers: Provider[];
  limits: () => Limits;
  stop: Stop;
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
  return async (): Promise<void> => {
    deps.wakeDispatch();
    // Listed before the rows are read: a row is committed before its machine is made, so what is shown without a row is a stray.
    const listed = await listAll(deps);
    const names = new Set([...listed.values()].flat().map(({ name }) => name));
    for (const attempt of await listActiveAttempts(deps.db.client)) {
      if (!listed.has((attempt.offer as unknown as Offer).provider)) continue;
      await carryOut(attempt, factsOf(attempt, names), deps);
    }
    for (const provider of deps.providers) await destroyStrays(provider, listed.get(provider.name) ?? [], deps);
  };
}

/** Without an entry where a provider could not be asked: nothing may be concluded of its machines then. */
async function listAll({ providers, onError }: SweepDeps): Promise<Map<string, SeenInstance[]>> {
  const listed = new Map<string, SeenInstance[]>();
  for (const provider of providers) {
    await provider.list().then((instances) => listed.set(provider.name, instances), onError);
  }
  return listed;
}

async function carryOut({ id, jobId }: ActiveAttempt, facts: AttemptFacts, { limits, stop, wakeLaunch, wakeSettle }: SweepDeps): Promise<void> {
  const step = plan(facts, limits());
  switch (step.do) {
    case 'launch':
      for (const instanceId of step.instanceIds) await wakeLaunch(instanceId);
      return;
    case 'settle':
      return wakeSettle(id);
    case 'stop':
      await stop(jobId, step.reason, step.message);
      return;
    case 'wait':
      return;
  }
}

function factsOf(attempt: ActiveAttempt, listed: Set<string>): AttemptFacts {
  const { job, instances, offer } = attempt;
  return {
    ...attempt,
    state: job.state,
    spec: job.spec as unknown as JobSpec,
    offer: offer as unknown as Offer,
    chargedMicroUsd: Number(job.chargedMicroUsd),
    instances: instances.map((row) => ({ ...row, isListed: listed.has(row.name), hasReported: row.reported !== null })),
  };
}

async function destroyStrays(provider: Provider, listed: SeenInstance[], { db, onError }: SweepDeps): Promise<void> {
  const unwanted = await listUnwanted(db.client, listed.map(({ name }) => name));
  for (const { name, zone } of listed) {
    if (unwanted.has(name)) await provider.destroy({ name, zone }).catch(onError);
  }
}
