import type { Database } from '../db/database.ts';
import { hasPending, lockRollup, sumUp } from './rollup-store.ts';

export type RollupDeps = {
  db: Database;
  /** The reasons of attempts that ended for another's sake. */
  preemptions: readonly string[];
};

/** How much is summed up in one transaction: of a large backlog the same hours are written fewer times. */
const batchSize = 10_000;

/** The step that keeps the roll-ups: sums up whatever is pending. Repeatable at any point; where another is at it, it leaves it to that. */
export function createRollup({ db, preemptions }: RollupDeps): () => Promise<void> {
  return async () => {
    let taken: number;
    do taken = await db.transaction(async (tx) => ((await lockRollup(tx)) ? sumUp(tx, preemptions, batchSize) : 0));
    while (taken > 0);
  };
}

/** Wakes the step while something is pending. Nobody else has to: what is pending counts as it is. */
export function createRollupSweep({ db, wakeRollup }: { db: Database; wakeRollup: () => Promise<void> }) {
  return async (): Promise<void> => {
    if (await hasPending(db.client)) await wakeRollup();
  };
}
