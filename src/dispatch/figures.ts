import { dayMs } from '../core/time.ts';
import type { Standing } from './ahead.ts';
import type { Decisions } from './decisions.ts';
import { isGuaranteed } from './exceeded.ts';
import { byTenant, createOrder } from './order.ts';
import type { Snapshot } from './snapshot.ts';
import type { State } from './state.ts';

/** What a round was like, for those who watch the installation. */
export type Figures = {
  /** Jobs that were looked at: of each tenant the first of its queue. */
  looked: number;
  started: number;
  preempted: number;
  /** |share of decayed use − share of weight| of each tenant that has jobs, among those that have. */
  fairnessError: { tenant: string; error: number }[];
  /** The tenants that still wait, in the order of their turns. */
  standings: Standing[];
  /** The ceilings on concentration that are passed: what was within them at its start may have run longer, or others less. */
  breaches: { figure: 'hhi' | 'largest share'; value: number; ceiling: number; largest: string }[];
};

export function figuresOf(snapshot: Snapshot, state: State, { starts, preemptions }: Decisions): Figures {
  return {
    looked: snapshot.queued.length,
    started: starts.length,
    preempted: preemptions.length,
    fairnessError: fairnessErrorOf(snapshot),
    standings: standingsOf(snapshot, state, starts),
    breaches: breachesOf(snapshot),
  };
}

function fairnessErrorOf({ tenants, queued, running }: Snapshot): Figures['fairnessError'] {
  const busy = new Set([...queued, ...running].map(({ tenantId }) => tenantId));
  const active = tenants.filter(({ id }) => busy.has(id));
  const weights = active.reduce((sum, { weight }) => sum + weight, 0);
  const uses = active.reduce((sum, { decayedUse }) => sum + decayedUse, 0);
  if (uses === 0) return [];
  return active.map(({ id, weight, decayedUse }) => ({
    tenant: id,
    error: Math.abs(decayedUse / uses - weight / weights),
  }));
}

/** As each tenant's next job would be looked at now, the starts of this round counted. */
function standingsOf({ queued }: Snapshot, state: State, starts: Decisions['starts']): Standing[] {
  const started = new Set(starts.map(({ jobId }) => jobId));
  const queues = byTenant(queued.filter(({ id }) => !started.has(id)));
  const order = createOrder(new Map([...queues].map(([id, queue]) => [id, queue.slice(0, 1)])), state);
  const standings: Standing[] = [];
  for (let turn = order.next(); turn !== undefined; turn = order.next()) {
    const { tenant, job } = turn;
    standings.push({
      tenant: tenant.id,
      isGuaranteed: job.choices.some((choice) => isGuaranteed(tenant, choice)),
      usePerWeight: (tenant.decayedUse / tenant.weight) * (1000 / dayMs),
    });
    order.advance();
  }
  return standings;
}

function breachesOf({ rules: { concentration } }: Snapshot): Figures['breaches'] {
  if (concentration === undefined) return [];
  const { squaredPetaflopSeconds, largestPetaflopSeconds, poolPetaflopSeconds, floorPetaflopSeconds } = concentration;
  const measure = Math.max(poolPetaflopSeconds, floorPetaflopSeconds);
  if (measure === 0) return [];
  const figures = [
    { figure: 'hhi', value: squaredPetaflopSeconds / measure ** 2, ceiling: concentration.hhiCeiling },
    { figure: 'largest share', value: largestPetaflopSeconds / measure, ceiling: concentration.largestShareCeiling },
  ] as const;
  return figures
    .filter(({ value, ceiling }) => value > ceiling)
    .map((breach) => ({ ...breach, largest: concentration.largestTenant ?? '' }));
}
