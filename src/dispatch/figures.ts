import type { Decisions } from './decide.ts';
import type { Snapshot, TenantUse } from './snapshot.ts';

/** What a round was like, for those who watch the installation. */
export type Figures = {
  /** Jobs that were looked at: of each tenant the first of its queue. */
  looked: number;
  started: number;
  preempted: number;
  /** |share of decayed use − share of weight| of each tenant that has jobs, among those that have. */
  fairnessError: { tenant: string; error: number }[];
  /** The ceilings on concentration that are passed: what was within them at its start may have run longer, or others less. */
  breaches: { figure: 'hhi' | 'largest share'; value: number; ceiling: number; largest: string }[];
};

export function figuresOf(snapshot: Snapshot, { starts, preemptions }: Decisions): Figures {
  return {
    looked: snapshot.queued.length,
    started: starts.length,
    preempted: preemptions.length,
    fairnessError: fairnessErrorOf(snapshot),
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

function breachesOf({ tenants, rules: { concentration } }: Snapshot): Figures['breaches'] {
  if (concentration === undefined) return [];
  const { squaredPetaflopSeconds, largestPetaflopSeconds, poolPetaflopSeconds, floorPetaflopSeconds } = concentration;
  const measure = Math.max(poolPetaflopSeconds, floorPetaflopSeconds);
  if (measure === 0) return [];
  const largest = tenants.reduce<TenantUse | undefined>(
    (most, tenant) => (most === undefined || tenant.windowUse > most.windowUse ? tenant : most),
    undefined,
  );
  const figures = [
    { figure: 'hhi', value: squaredPetaflopSeconds / measure ** 2, ceiling: concentration.hhiCeiling },
    { figure: 'largest share', value: largestPetaflopSeconds / measure, ceiling: concentration.largestShareCeiling },
  ] as const;
  return figures
    .filter(({ value, ceiling }) => value > ceiling)
    .map((breach) => ({ ...breach, largest: largest?.id ?? '' }));
}
