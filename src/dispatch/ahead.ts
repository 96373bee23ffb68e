import { formatCompute } from '../core/quantity.ts';

/** What the last round knew of a tenant whose jobs wait. */
export type Standing = {
  tenant: string;
  /** Its next job is within its guarantee. */
  isGuaranteed: boolean;
  /** Decayed use by weight, in PFLOP/s-days: of those that are alike else, the lowest goes first. */
  usePerWeight: number;
};

export type Waiter = { tenantId: string; priority: number; queuedAt: Date; eta: string | null };

export type Named = { standingOf: (tenantId: string) => Standing | undefined; nameOf: (tenantId: string) => string };

/** Why one waiting job stands before the next in the order of their expected starts, in words. */
export function whyAhead(job: Waiter, next: Waiter, { standingOf, nameOf }: Named): string {
  if (job.tenantId === next.tenantId) return whyAheadInTenant(job, next);
  const [own, other] = [standingOf(job.tenantId), standingOf(next.tenantId)];
  if (own === undefined || other === undefined) return 'Dispatch has not looked at both of them yet.';
  const [name, otherName] = [nameOf(job.tenantId), nameOf(next.tenantId)];
  if (own.isGuaranteed && !other.isGuaranteed)
    return `${name} is below its guarantee, and ${otherName} is not: what is guaranteed goes before all else.`;
  const isTurn = own.isGuaranteed === other.isGuaranteed && own.usePerWeight <= other.usePerWeight;
  if (isTurn)
    return `${name} has used ${formatCompute(own.usePerWeight)} by weight lately, ${otherName} ${formatCompute(other.usePerWeight)}: who has used less goes first.`;
  return `It would be the turn of ${otherName}, but what its job waits for is expected later.`;
}

function whyAheadInTenant(job: Waiter, next: Waiter): string {
  if (job.priority > next.priority) return `Of one tenant, priority ${job.priority} goes before ${next.priority}.`;
  if (job.priority === next.priority && job.queuedAt <= next.queuedAt)
    return 'Of one tenant and priority, who came first goes first.';
  return 'The other would come first, but what it waits for is expected later.';
}

/** By expected start; those whose start is not known after, by their tenants' turn and their place in its queue. */
export function inExpectedOrder<W extends Waiter & { place: number }>(
  waiting: readonly W[],
  standings: readonly Standing[],
): W[] {
  const turns = new Map(standings.map(({ tenant }, turn) => [tenant, turn]));
  const startOf = ({ eta }: W) => (eta === null ? Infinity : Date.parse(eta));
  const turnOf = ({ tenantId }: W) => turns.get(tenantId) ?? turns.size;
  return waiting.toSorted((a, b) => {
    const [start, other] = [startOf(a), startOf(b)];
    if (start !== other) return start - other;
    return turnOf(a) - turnOf(b) || a.place - b.place || (a.tenantId < b.tenantId ? -1 : 1);
  });
}
