import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { measureCapacity, readGpus, sellablesOf, writtenBytes } from '../../../src/providers/local/machine.ts';

test.each([
  ['Tesla T4, 15360 MiB', 'T4', 1],
  ['NVIDIA L4, 23034 MiB', 'L4', 1],
  ['NVIDIA A10G, 23028 MiB', 'A10G', 1],
  ['Tesla V100-SXM2-16GB, 16384 MiB\nTesla V100-SXM2-16GB, 16384 MiB', 'V100', 2],
  ['NVIDIA A100-SXM4-40GB, 40960 MiB', 'A100', 1],
  ['NVIDIA A100-SXM4-80GB, 81920 MiB\nNVIDIA A100-SXM4-80GB, 81920 MiB', 'A100-80GB', 2],
  ['NVIDIA H100 80GB HBM3, 81559 MiB', 'H100', 1],
  ['NVIDIA H200, 143771 MiB', 'H200', 1],
  ['NVIDIA B200, 183359 MiB', 'B200', 1],
  ['NVIDIA L40S, 46068 MiB', 'none', 0],
  ['NVIDIA GH200 480GB, 97871 MiB', 'none', 0],
  ['NVIDIA GeForce RTX 4090, 24564 MiB', 'none', 0],
  ['', 'none', 0],
  // Only a run from index 0 on can be offered, since jobs name GPUs by index.
  ['NVIDIA H100 80GB HBM3, 81559 MiB\nTesla T4, 15360 MiB\nNVIDIA H100 80GB HBM3, 81559 MiB', 'H100', 1],
])('nvidia-smi’s “%s” is %s × %i', (csv, kind, count) => {
  expect(readGpus(csv)).toEqual({ kind, count });
});

const capacity = { cpus: 4, memoryBytes: 8e9, diskBytes: 1e11, gpus: { kind: 'none', count: 0 } };

test('what running jobs have written is part of what they hold, and not gone from the machine', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'weir-written-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, 'x'), Buffer.alloc(3e6, 1));
  expect(await writtenBytes(directory)).toBeGreaterThanOrEqual(3e6);
  const [without, withJobs] = [await measureCapacity({}, tmpdir(), 0), await measureCapacity({}, tmpdir(), 2 ** 50)];
  expect((withJobs.diskBytes - without.diskBytes) / 2 ** 50).toBeCloseTo(1, 3);
});

test('jobs get neither all memory nor all that is free on the disk: weir lives there too', async () => {
  const { bavail, bsize } = await statfs(tmpdir());
  const freeBytes = bavail * bsize;
  const { memoryBytes, diskBytes } = await measureCapacity({}, tmpdir(), 0);
  expect(memoryBytes).toBeLessThan(totalmem());
  // Others use this disk meanwhile.
  expect(diskBytes).toBeLessThan(freeBytes - Math.min(freeBytes / 20, 5 * 1024 ** 3));
  expect(Number.isInteger(diskBytes)).toBe(true);
  expect(await measureCapacity({ memoryGiB: 3, diskGiB: 5, cpus: 2 }, tmpdir(), 0)).toMatchObject({
    cpus: 2,
    memoryBytes: 3 * 1024 ** 3,
    diskBytes: 5 * 1024 ** 3,
  });
});

test('a machine without GPUs sells its cores, priced by the core', () => {
  const [sold, ...more] = sellablesOf(capacity, { usdPerCpuHour: 0.03 }, '2026-05-01', 66.5);
  expect(sold?.gigaflopsPerCore).toBe(66.5);
  expect(more).toEqual([]);
  expect(sold).toMatchObject({
    accelerators: { kind: 'cpu', count: 4 },
    microUsdPerHour: 120_000,
    divisible: { microUsdPerCpuHour: 30_000 },
    priceDate: '2026-05-01',
  });
});

test('a machine with GPUs sells them beside its cores, with the cores in their price', () => {
  const sold = sellablesOf(
    { ...capacity, gpus: { kind: 'L4', count: 2 } },
    { usdPerCpuHour: 0.03, usdPerGpuHour: 1 },
    '2026-05-01',
  );
  expect(sold.map(({ accelerators, microUsdPerHour }) => ({ ...accelerators, microUsdPerHour }))).toEqual([
    { kind: 'cpu', count: 4, microUsdPerHour: 120_000 },
    { kind: 'L4', count: 2, microUsdPerHour: 2_120_000 },
  ]);
});
