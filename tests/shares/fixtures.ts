import { newId } from '../../src/core/ids.ts';
import type { Database } from '../../src/db/database.ts';
import type { Offer } from '../../src/protocol/quote.ts';

export const epoch = new Date('2026-11-10T12:00:00Z');

export function minutesLater(minutes: number, from = epoch): Date {
  return new Date(from.getTime() + minutes * 60_000);
}

export async function insertTenant(db: Database, name: string): Promise<string> {
  const id = newId('tenant');
  await db.client.tenant.create({ data: { id, name, createdAt: new Date('2026-01-01T00:00:00Z') } });
  return id;
}

/** Two nodes of four cores, at 7.2 dollars an hour together. */
export const offer: Offer = {
  id: 'local',
  provider: 'local',
  region: 'here',
  zone: null,
  machineType: 'this-machine',
  accelerators: { kind: 'cpu', count: 4 },
  nodes: 2,
  market: 'on-demand',
  hourlyUsd: 7.2,
  priceDate: '2026-11-01',
};
export const microUsdPerHour = 3_600_000;

/** A running job with a machine for each node, paid since `createdAt`. */
export async function insertRunning(db: Database, tenantId: string, createdAt: Date) {
  const [jobId, attemptId] = [newId('job'), newId('attempt')];
  const times = { createdAt, startedAt: createdAt };
  await db.client.job.create({
    data: {
      id: jobId,
      tenantId,
      name: 'run',
      state: 'running',
      spec: {},
      quoteId: newId('quote'),
      options: [],
      priority: 50,
      attemptNumber: 1,
      queuedAt: createdAt,
      ...times,
    },
  });
  await db.client.attempt.create({
    data: {
      id: attemptId,
      jobId,
      tenantId,
      number: 1,
      state: 'running',
      offer,
      limits: {},
      leaseExpiresAt: createdAt,
      ...times,
    },
  });
  const instanceIds = [newId('instance'), newId('instance')];
  await db.client.instance.createMany({
    data: instanceIds.map((id, node) => ({
      id,
      attemptId,
      tenantId,
      node,
      provider: 'local',
      zone: 'here',
      name: id,
      state: 'ready',
      requestedAt: createdAt,
      createdAt,
      readyAt: createdAt,
    })),
  });
  return { jobId, attemptId, instanceIds };
}
