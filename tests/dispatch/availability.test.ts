import { expect } from 'vitest';
import { hourMs } from '../../src/core/time.ts';
import { createCurrentOffers } from '../../src/dispatch/availability.ts';
import { recordShortage } from '../../src/instances/shortage-store.ts';
import type { Offer } from '../../src/protocol/quote.ts';
import type { Shortage } from '../../src/providers/provider.ts';
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
  const running = await insertRunningJob(db);
  await db.client.attempt.updateMany({
    where: { jobId: running.jobId },
    data: {
      offer: { ...here, nodes: 2 },
      limits: { cpus: 1.5, memoryBytes: 4e9, diskBytes: 10e9, gpus: [[0], [2]] },
    },
  });
  const [lately, past] = [new Date(Date.now() - hourMs), new Date(Date.now() - 30 * hourMs)];
  const said = (market: Offer['market']): Shortage => ({
    cause: 'stockout',
    of: { region: 'us-central1', zone: 'us-central1-a', machineType: 'a2-highgpu-1g', market },
    message: `us-central1-a has no ${market} a2-highgpu-1g now.`,
    zonesAvailable: [],
  });
  await db.transaction((tx) => recordShortage(tx, 'gcp', said('spot'), lately));
  await db.transaction((tx) => recordShortage(tx, 'gcp', said('on-demand'), past));

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
  const none = { free: null, quota: null, lastShortageAt: null, shortage: null };
  expect((await read()).map(({ availability: { seenAt: _seenAt, ...rest } }) => rest)).toEqual([
    { ...none, free: { cpus: 5, memoryBytes: 24e9, diskBytes: 80e9, accelerators: 2 } },
    {
      free: null,
      quota: null,
      lastShortageAt: lately.toISOString(),
      shortage: {
        cause: 'stockout',
        message: 'us-central1-a has no spot a2-highgpu-1g now.',
        askedAgainAt: new Date(lately.getTime() + 60_000).toISOString(),
      },
    },
    none,
  ]);
});
