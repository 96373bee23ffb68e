import { expect, test } from 'vitest';
import { chipsOfSlice } from '../../src/quotes/slice-sizes.ts';

test.each([
  ['v2', 512, 256],
  ['v3', 2048, 1024],
  ['v4', 8, 4],
  ['v4', 384, 192],
  ['v5p', 12_288, 6144],
  ['v5e', 1, 1],
  ['v5e', 256, 256],
  ['v6e', 16, 16],
])('the slice %s-%i has %i chips', (generation, size, chips) => {
  expect(chipsOfSlice(generation, size)).toBe(chips);
});

test.each([
  ['v5e', 20, 'the nearest are v5e-16 and v5e-32.'],
  ['v5e', 2, 'the nearest are v5e-1 and v5e-4.'],
  ['v2', 4096, 'the nearest is v2-512. v2-512 with nodes 8 has as many. v2 counts cores, two a chip.'],
  ['v3', 16, 'the nearest are v3-8 and v3-32.'],
  ['v4', 4, 'the nearest is v4-8.'],
  ['v4', 200, 'the nearest are v4-128 and v4-256.'],
  ['v5p', 20_000, 'the nearest is v5p-12288.'],
  ['v6e', 512, 'the nearest is v6e-256. v6e-256 with nodes 2 has as many.'],
  ['v4', 12_288, 'the nearest is v4-8192. v4-6144 with nodes 2 has as many.'],
])('there is no slice %s-%i: %s', (generation, size, said) => {
  expect(() => chipsOfSlice(generation, size)).toThrowError(
    expect.objectContaining({
      faults: [
        {
          pointer: '/resources/accelerators',
          detail: expect.stringContaining(`There is no slice ${generation}-${size}: ${said}`),
        },
      ],
    }),
  );
});
