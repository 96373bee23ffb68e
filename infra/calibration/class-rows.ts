import type { BenchmarkRun, Hardware } from './compact.ts';

/** A result of a benchmark as the model of classes sees it. */
export type ClassRow = BenchmarkRun & {
  family: string;
  /** ln(minutes), or ln(minutes ÷ samples) where the class's samples are known. */
  value: number;
  hasSamples: boolean;
  /** ln(samples) where the value is of one, else 0. */
  logSamples: number;
  /** ln(count) - 3. */
  gang: number;
  /** ln(batch ÷ count), from the class's median. */
  batchEach: number;
  /** Software's age: the round, from v4.0. */
  age: number;
  /** log2(count), whole. */
  doublings: number;
  logPeak: number;
  logBandwidth: number;
  isPcie: number;
};

const families: [RegExp, string][] = [
  [/^A100|^A30$/, 'A100'],
  [/^(H100|H200|GH20)/, 'Hopper'],
  [/^(B200|GB20|B300)/, 'Blackwell'],
  [/^L4|^RTX4090/, 'Ada'],
  [/^TPU/, 'TPU'],
  [/^V100/, 'V100'],
  [/^(A10G|RTXA5000)$/, 'Ampere'],
];

const overPcie = /PCIE|^(L4|L40|L40S|A10G|A30|RTX.*)$/;

const ages: Record<string, number> = { 'v1.1': 1.5, 'v2.1': 2.5, 'v3.1': 3.5, 'v4.1': 4.5 };

/** A class in which most results tell their samples is modelled a sample. */
export function classRows(benchmarks: readonly BenchmarkRun[], hardware: readonly Hardware[]): ClassRow[] {
  const byClass = Map.groupBy(benchmarks, (row) => row.class);
  const machines = new Map(hardware.map((machine) => [machine.name, machine]));
  return benchmarks.flatMap((row) => {
    const peers = byClass.get(row.class) ?? [];
    const machine = machines.get(row.accelerator);
    const hasSamples = peers.filter(({ samples }) => samples !== null).length * 2 > peers.length;
    if (machine === undefined || (hasSamples && row.samples === null)) return [];
    const logSamples = hasSamples ? Math.log(row.samples ?? 1) : 0;
    const centre = medianOf(peers.map(({ batch, count }) => Math.log(batch / count)));
    return [
      {
        ...row,
        family: families.find(([pattern]) => pattern.test(row.accelerator))?.[1] ?? row.accelerator.slice(0, 5),
        value: Math.log(row.minutes) - logSamples,
        hasSamples,
        logSamples,
        gang: Math.log(row.count) - 3,
        batchEach: Math.log(row.batch / row.count) - centre,
        age: (ages[row.round] ?? Number(row.round.slice(1))) - 4,
        doublings: Math.round(Math.log2(row.count)),
        logPeak: Math.log(machine.peakTflops) - 6,
        logBandwidth: Math.log(machine.memoryGBs) - 7.5,
        isPcie: overPcie.test(row.accelerator) ? 1 : 0,
      },
    ];
  });
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
