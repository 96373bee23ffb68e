import type { tpuGenerations } from '../../protocol/job-spec.ts';

type Generation = (typeof tpuGenerations)[number];

/** How Cloud TPU names a generation's slices, what counts in their names, and what runs on them (Cloud TPU: "TPU software versions"). */
const generations: Record<
  Generation,
  { prefix: string; coresPerChip: 1 | 2; wholeHostChips: number; runtime: string }
> = {
  v2: { prefix: 'v2', coresPerChip: 2, wholeHostChips: 4, runtime: 'tpu-ubuntu2204-base' },
  v3: { prefix: 'v3', coresPerChip: 2, wholeHostChips: 4, runtime: 'tpu-ubuntu2204-base' },
  v4: { prefix: 'v4', coresPerChip: 2, wholeHostChips: 4, runtime: 'tpu-ubuntu2204-base' },
  v5e: { prefix: 'v5litepod', coresPerChip: 1, wholeHostChips: 8, runtime: 'v2-alpha-tpuv5-lite' },
  v5p: { prefix: 'v5p', coresPerChip: 2, wholeHostChips: 4, runtime: 'v2-alpha-tpuv5' },
  v6e: { prefix: 'v6e', coresPerChip: 1, wholeHostChips: 8, runtime: 'v2-alpha-tpuv6e' },
};

/** Of a slice that takes more than one host, each has four chips, in every generation. */
const chipsPerHostOfMany = 4;

export type SliceType = {
  acceleratorType: string;
  kind: Generation;
  hosts: number;
  chipsPerHost: number;
  runtime: string;
};

/** Reads the name of a slice, such as v5litepod-16; undefined for one of a generation that weir has no name for. */
export function sliceTypeOf(acceleratorType: string): SliceType | undefined {
  const [, prefix, size] = /^(v[0-9a-z]+)-(\d+)$/.exec(acceleratorType) ?? [];
  const found = Object.entries(generations).find(([, generation]) => generation.prefix === prefix);
  if (found === undefined) return undefined;
  const [kind, { coresPerChip, wholeHostChips, runtime }] = found;
  const chips = Number(size) / coresPerChip;
  const hosts = chips <= wholeHostChips ? 1 : chips / chipsPerHostOfMany;
  return { acceleratorType, kind: kind as Generation, hosts, chipsPerHost: chips / hosts, runtime };
}
