import { invalid } from '../core/errors.ts';

/** These generations name their slices by TensorCores, two a chip; v5e and v6e by chips. */
const namedByCores = new Set(['v2', 'v3', 'v4', 'v5p']);

const doublings = (least: number, most: number): number[] =>
  Array.from({ length: Math.log2(most / least) + 1 }, (_, at) => least * 2 ** at);

/** Of v4 and v5p, from a cube of 64 chips on, whole cubes. */
const cubes = (most: number): number[] => Array.from({ length: most / 128 }, (_, at) => 128 * (at + 1));

/**
 * As the names count them, by Cloud TPU's page of each generation (docs.cloud.google.com/tpu/docs/v2 and so on): of v2 and v3 the types
 * listed, of v5e and v6e the topologies; of v4 and v5p the topologies within a cube, and from there whole cubes, up to v4's pod of
 * 4,096 chips and v5p's largest job of 6,144.
 */
const sizes: Readonly<Record<string, readonly number[]>> = {
  v2: [8, 32, 128, 256, 512],
  v3: [8, ...doublings(32, 2048)],
  v4: [8, 16, 32, 64, ...cubes(8192)],
  v5e: [1, ...doublings(4, 256)],
  v5p: [8, 16, 32, 64, ...cubes(12_288)],
  v6e: [1, ...doublings(4, 256)],
};

/**
 * Chips of the slice of this name.
 * @throws WeirError `invalid` for a slice that does not exist, with those nearest to it.
 */
export function chipsOfSlice(generation: string, size: number): number {
  const known = sizes[generation] ?? [];
  const isByCores = namedByCores.has(generation);
  if (known.includes(size)) return isByCores ? size / 2 : size;
  const near = [known.findLast((each) => each < size), known.find((each) => each > size)].flatMap((each) =>
    each === undefined ? [] : [`${generation}-${each}`],
  );
  const part = known.findLast((each) => size % each === 0) ?? 0;
  const asMany = part > 1 && part < size ? ` ${generation}-${part} with nodes ${size / part} has as many.` : '';
  const nearest = near.length === 1 ? `the nearest is ${near[0]}` : `the nearest are ${near.join(' and ')}`;
  throw invalid(
    '/resources/accelerators',
    `There is no slice ${generation}-${size}: ${nearest}.${asMany}${isByCores ? ` ${generation} counts cores, two a chip.` : ''}`,
  );
}
