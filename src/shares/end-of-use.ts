import { fromUsd, priceFor } from '../core/money.ts';
import type { Offer } from '../protocol/quote.ts';

type Machine = { createdAt: Date | null; heartbeatAt: Date | null; goneAt: Date | null };

/**
 * Until when a machine is its job's: until its attempt was told to end, and as long as its runner was heard after that. How long its
 * provider takes to be rid of it is not the tenant's doing: what it costs from there on is residual, and the operator's.
 */
export function endOfUse({ heartbeatAt, goneAt }: Machine, stoppingAt: Date | null, now: Date): Date {
  const end = goneAt ?? now;
  if (stoppingAt === null) return end;
  const left = heartbeatAt !== null && heartbeatAt > stoppingAt ? heartbeatAt : stoppingAt;
  return left < end ? left : end;
}

type Had = { offer: Offer; stoppingAt: Date | null; instances: readonly Machine[] };

/** What the machines of an attempt have cost its job until now, and what beyond that, in micro-dollars. */
export function machineCosts({ offer, stoppingAt, instances }: Had, now: Date): { used: number; residual: number } {
  const hourly = fromUsd(offer.hourlyUsd) / offer.nodes;
  const price = (from: Date, to: Date): number => priceFor(hourly, to.getTime() - from.getTime());
  const costs = { used: 0, residual: 0 };
  for (const { createdAt, ...machine } of instances) {
    if (createdAt === null) continue;
    const used = price(createdAt, endOfUse({ createdAt, ...machine }, stoppingAt, now));
    costs.used += used;
    costs.residual += price(createdAt, machine.goneAt ?? now) - used;
  }
  return costs;
}
