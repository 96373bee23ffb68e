import { expect } from 'vitest';
import { hourMs } from '../../src/core/time.ts';
import { createCurrentOffers } from '../../src/dispatch/availability.ts';
import type { Offer } from '../../src/protocol/quote.ts';
import { insertRunningJob } from '../artifacts/job-rows.ts';
import { test } from '../support/database.ts';

const cloud: Offer = {
  id: 'gcp/us-central1-a/a2-highgpu-1g/A100:1/1/spot',
  provider: 'gcp',
  region: 'us-central1',
  zone: 'us-central1-a',
  machineType: 'a2-highgpu-1g',
  accelerators: { kind: 'A100', count: 1 },
  nodes: 1,
  market: 'spot',
  hourlyUsd: 1.2,
  priceDate: '2026-08-03',
};
const here: Offer = { ...cloud, provider: 'local', region: 'local', zone: 'local', machineType: 'local' };
const capacity = { cpus: 8, memoryBytes: 32e9, diskBytes: 100e9, gpus: { kind: 'A100', count: 4 } };

test('of this machine is told what no attempt holds, of a cloud when it last had none of the machine', async ({
  db,
}) => {
  const [running, refused, longAgo] = [
    await insertRunningJob(db),
    await insertRunningJob(db),
    await insertRunningJob(db),
  ];
  await db.client.attempt.updateMany({
    where: { jobId: running.jobId },
    data: {
      offer: { ...here, nodes: 2 },
      limits: { cpus: 1.5, memoryBytes: 4e9, diskBytes: 10e9, gpus: [[0], [2]] },
    },
  });
  const [shortage, past] = [new Date(Date.now() - hourMs), new Date(Date.now() - 30 * hourMs)];
  const none = { state: 'failed', reason: 'no-capacity', limits: { cpus: 0, gpus: [] } } as const;
  await db.client.attempt.updateMany({
    where: { jobId: refused.jobId },
    data: { ...none, offer: cloud, stoppingAt: shortage, finishedAt: shortage },
  });
  await db.client.attempt.updateMany({
    where: { jobId: longAgo.jobId },
    data: {
      ...none,
      offer: { ...cloud, market: 'on-demand' },
      stoppingAt: past,
      leaseExpiresAt: past,
      finishedAt: past,
    },
  });

  const read = createCurrentOffers({
    db,
    now: () => new Date(),
    offers: async () => [here, cloud, { ...cloud, market: 'on-demand' }],
    capacities: async () =>
      new Map([
        ['local', capacity],
        ['gcp', undefined],
      ]),
  });
  expect((await read()).map(({ availability: { free, lastShortageAt } }) => ({ free, lastShortageAt }))).toEqual([
    { free: { cpus: 5, memoryBytes: 24e9, diskBytes: 80e9, accelerators: 2 }, lastShortageAt: null },
    { free: null, lastShortageAt: shortage.toISOString() },
    { free: null, lastShortageAt: null },
  ]);
});
