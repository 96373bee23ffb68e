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
