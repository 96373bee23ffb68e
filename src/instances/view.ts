import { fromUsd, priceFor, toUsd } from '../core/money.ts';
import { endOfUse } from '../shares/end-of-use.ts';
import type { Instance } from '../protocol/instance.ts';
import type { ListedInstance } from './list-store.ts';

/** A machine as the API shows it, with what it costs. */
export function instanceView(row: ListedInstance, now: Date): Instance {
  const { id, name, state, tenantId, node, provider, zone, requestedAt, createdAt, readyAt, goneAt, heartbeatAt } = row;
  const { jobId, number, offer, stoppingAt } = row.attempt;
  const hourly = fromUsd(offer.hourlyUsd) / offer.nodes;
  const until = goneAt ?? now;
  const costSince = (from: Date | null): number =>
    from === null ? 0 : toUsd(priceFor(hourly, Math.max(0, until.getTime() - from.getTime())));
  const usedUntil = endOfUse(row, stoppingAt, now);
  return {
    id,
    name,
    state,
    tenant: tenantId,
    job: jobId,
    attempt: number,
    node,
    provider,
    zone,
    machineType: offer.machineType,
    market: offer.market,
    accelerators: offer.accelerators,
    hourlyUsd: toUsd(Math.round(hourly)),
    requestedAt: requestedAt.toISOString(),
    createdAt: createdAt?.toISOString() ?? null,
    readyAt: readyAt?.toISOString() ?? null,
    goneAt: goneAt?.toISOString() ?? null,
    heartbeatAt: heartbeatAt?.toISOString() ?? null,
    ageSeconds: Math.max(0, until.getTime() - requestedAt.getTime()) / 1000,
    costUsd: costSince(createdAt),
    residualUsd: createdAt === null ? 0 : costSince(later(usedUntil, createdAt)),
  };
}

function later(a: Date, b: Date): Date {
  return a > b ? a : b;
}
