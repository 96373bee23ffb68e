import { dayMs } from '../core/time.ts';
import type { Standing } from './ahead.ts';
import type { Decisions } from './decisions.ts';
import { isGuaranteed } from './exceeded.ts';
import { byTenant, createOrder } from './order.ts';
import type { Snapshot, TenantUse } from './snapshot.ts';
import type { State } from './state.ts';

/** What a round was like, for those who watch the installation. */
export type Figures = {
  /** Jobs that were looked at: of each tenant the first of its queue. */
  looked: number;
  started: number;
  preempted: number;
  /** |share of decayed use − fair share| of each tenant that has jobs, among those that have: shared as rule 2 does, level by level. */
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
  const uses = active.reduce((sum, { ownDecayedUse }) => sum + ownDecayedUse, 0);
  if (uses === 0) return [];
  const fair = fairShares(tenants, busy);
  return active.map(({ id, ownDecayedUse }) => ({
    tenant: id,
    error: Math.abs(ownDecayedUse / uses - (fair.get(id) ?? 0)),
  }));
}

/** By weight among those of one level that are busy or have busy teams. Among its teams an organisation's own jobs weigh as one of weight 1. */
function fairShares(tenants: readonly TenantUse[], busy: ReadonlySet<string>): Map<string, number> {
  const teams = Map.groupBy(tenants, ({ parent }) => parent);
  const isOpen = ({ id }: TenantUse): boolean => busy.has(id) || (teams.get(id) ?? []).some(isOpen);
  const shares = new Map<string, number>();
  const divide = (share: number, id?: string): void => {
    const below = (teams.get(id) ?? []).filter(isOpen);
    const own = id !== undefined && busy.has(id) ? 1 : 0;
    const weights = below.reduce((sum, { weight }) => sum + weight, own);
    if (id !== undefined && own > 0) shares.set(id, share / weights);
    for (const team of below) divide((share * team.weight) / weights, team.id);
  };
  divide(1);
  return shares;
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
