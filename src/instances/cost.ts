import { fromUsd, priceFor, type MicroUsd } from '../core/money.ts';
import type { Offer } from '../protocol/quote.ts';

export type Paid = {
  offer: Offer;
  instances: { createdAt: Date | null; goneAt: Date | null }[];
  /** Of the job, what its attempts were charged; and what of it this attempt was. */
  chargedMicroUsd: MicroUsd;
  costMicroUsd: MicroUsd;
};

/** What the machines of the attempt have cost until now. */
export function accruedMicroUsd({ instances, offer }: Pick<Paid, 'instances' | 'offer'>, now: Date): MicroUsd {
  const hourlyPerNode = fromUsd(offer.hourlyUsd) / offer.nodes;
  return instances.reduce((sum, { createdAt, goneAt }) => {
    return createdAt === null ? sum : sum + priceFor(hourlyPerNode, (goneAt ?? now).getTime() - createdAt.getTime());
  }, 0);
}

/** What the job has cost until now, in all its attempts. */
export function spentMicroUsd(attempt: Paid, now: Date): MicroUsd {
  return attempt.chargedMicroUsd - attempt.costMicroUsd + accruedMicroUsd(attempt, now);
}

type Known = { createdAt: Date | null; heardAt: Date | null; recorded: Date | undefined };

/**
 * Until when a machine is paid that ended while nobody looked: until its provider's record of its end, and as long as its runner
 * was heard; where neither says anything, until it is seen to be gone.
 */
export function endOfRunning({ createdAt, heardAt, recorded }: Known, seenGoneAt: Date): Date {
  if (recorded === undefined && heardAt === null) return seenGoneAt;
  const known = [createdAt, heardAt, recorded].flatMap((at) => at?.getTime() ?? []);
  return new Date(Math.min(seenGoneAt.getTime(), Math.max(...known)));
}

/** When its runner was last heard: its report made the attempt stop. */
export function lastHeard(
  { heartbeatAt, reported }: { heartbeatAt: Date | null; reported: unknown },
  { stoppingAt }: { stoppingAt: Date | null },
): Date | null {
  const isLater = stoppingAt !== null && (heartbeatAt === null || stoppingAt > heartbeatAt);
  return reported !== null && isLater ? stoppingAt : heartbeatAt;
}
