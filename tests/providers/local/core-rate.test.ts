import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test as base } from 'vitest';
import { measureCoreRate, nameOfProcessor } from '../../../src/providers/local/core-rate.ts';
import { kernelModule, tileColumns, tileRows } from '../../../src/providers/local/matmul-kernel.ts';

const test = base.extend<{ dataDir: string }>({
  // oxlint-disable-next-line no-empty-pattern
  dataDir: async ({}, use) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'weir-core-rate-'));
    await use(dataDir);
    await rm(dataDir, { recursive: true });
  },
});

const fail = (error: unknown): never => {
  throw error;
};

/** However busy the machine that the tests run on. */
const patient = { onError: fail, limitMs: 60_000 };

const processor = async () => nameOfProcessor(await readFile('/proc/cpuinfo', 'utf8'));

test('the kernel multiplies matrices', async () => {
  const { instance } = await WebAssembly.instantiate(kernelModule);
  const { memory, tile } = instance.exports as {
    memory: WebAssembly.Memory;
    tile: (left: number, right: number, result: number, depth: number) => void;
  };
  const depth = 5;
  const left = Array.from({ length: depth * tileRows }, (_, at) => at - 7);
  const right = Array.from({ length: depth * tileColumns }, (_, at) => (at % 9) - 4);
  const floats = new Float32Array(memory.buffer);
  floats.set(left, 0);
  floats.set(right, 256);
  tile(0, 1024, 2048, depth);
  const expected = Array.from({ length: tileRows * tileColumns }, (_, at) => {
    const [row, column] = [Math.floor(at / tileColumns), at % tileColumns];
    return Array.from({ length: depth }).reduce<number>(
      (sum, _each, step) => sum + (left[step * tileRows + row] ?? NaN) * (right[step * tileColumns + column] ?? NaN),
      0,
    );
  });
  expect(Array.from(floats.subarray(512, 512 + expected.length))).toEqual(expected);
});

test('a core is measured once and its rate kept; what was kept holds, and damage is measured anew', async ({
  dataDir,
}) => {
  const path = join(dataDir, 'core-rates.json');
  const rate = (await measureCoreRate({ dataDir, ...patient }).rate) ?? NaN;
  // The slowest core that weir could meet, under load, and more than any has in 128-bit vectors.
  expect(rate).toBeGreaterThan(0.2);
  expect(rate).toBeLessThan(500);
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ [await processor()]: rate });

  await writeFile(path, JSON.stringify({ [await processor()]: 12_345, 'another processor': 1 }));
  const known = measureCoreRate({ dataDir, ...patient });
  expect(await known.rate).toBe(12_345);
  await known.kept;

  await writeFile(path, '{"');
  expect(await measureCoreRate({ dataDir, ...patient }).rate).toBeGreaterThan(0.2);
});

test.each([
  [
    'vendor_id\t: AuthenticAMD\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC\nstepping\t: 1\ncpu MHz\t\t: 2596.120\n\n',
    '26 2 AMD EPYC 1',
  ],
  [
    'processor\t: 0\nBogoMIPS\t: 243.75\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n\nprocessor\t: 1\nCPU part\t: 0xd0d\n',
    '0x41 0xd0c',
  ],
])('a processor is known by what /proc/cpuinfo says of its make and not of its clock: %#', (cpuinfo, name) => {
  expect(nameOfProcessor(cpuinfo)).toBe(name);
});
