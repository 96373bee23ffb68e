import { isGuaranteed, isGuaranteedWithin } from './exceeded.ts';
import type { Kept } from './kept.ts';
import type { Choice } from './snapshot.ts';
import { amountOfKind, type State, type TenantState } from './state.ts';

/** What a start takes of a kind, and how much of it has to stay free for others. */
export type KeptKind = { kind: string; wanted: number; kept: number };

/**
 * 6 Of a guarantee, what its tenant does not lend stays free for it, wherever: what others have free of the kind a provider need not
 * keep. Each kind by itself; those of which nothing is kept are left out.
 */
export function keptKinds(
  choice: Choice,
  tenant: TenantState,
  state: State,
  kept: Pick<Kept, 'isAny' | 'forOthers'> = state.kept,
): KeptKind[] {
  if (!kept.isAny) return [];
  return takenKinds(choice)
    .filter(({ kind }) => kind !== choice.accelerators.kind || !isOwn(choice, tenant))
    .map((taken) => {
      const here = kept.forOthers(tenant.lineage, taken.kind) - freeElsewhere(choice.provider, taken.kind, state);
      return { ...taken, kept: here };
    })
    .filter((each) => each.kept > 0);
}

/** Of providers whose amounts can be counted: what never runs out, as far as is known, nobody has promised. */
function freeElsewhere(provider: string, kind: string, { pools }: State): number {
  let free = 0;
  for (const pool of pools.values()) {
    const isOf = kind === 'cpu' || pool.gpuKind === kind || pool.wholeKinds.has(kind);
    const amount = isOf && pool.provider !== provider ? amountOfKind(pool, pool.room, kind) : 0;
    if (amount !== Infinity) free += Math.max(0, amount);
  }
  return free;
}

/** Whoever is within its guarantee, and its organisation too, may come to what others leave of the kind. */
function isOwn(choice: Choice, tenant: TenantState): boolean {
  return isGuaranteed(tenant, choice) && isGuaranteedWithin(tenant.lineage, choice);
}

/** A job on GPUs takes cores as well, of which no guarantee speaks to it. */
export function takenKinds({ accelerators: { kind, count }, need }: Pick<Choice, 'accelerators' | 'need'>) {
  const own = { kind, wanted: count };
  return need.gpus.count > 0 ? [own, { kind: 'cpu', wanted: need.cpus * need.nodes }] : [own];
}
