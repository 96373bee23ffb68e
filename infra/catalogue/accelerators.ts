import { kindOf, numberIn, type Row } from './tables.ts';

export type Accelerator = {
  kind: string;
  /** Dense peaks in TFLOP/s; a precision without a rate of its own is absent. */
  peakTflops: Record<string, number>;
  memoryGB: number;
  memoryGBs: number;
  source: string;
};

const precisions = ['fp32', 'tf32', 'fp16', 'bf16', 'fp8'];

export function buildAccelerators(rows: Row[]): Accelerator[] {
  return rows.flatMap((row) => {
    const kind = kindOf[row['name'] ?? ''];
    if (kind === undefined) return [];
    const peakTflops: Record<string, number> = {};
    for (const precision of precisions) {
      const peak = numberIn(row, `peak_${precision}_tflops`);
      // XLA multiplies fp32 on a TPU in bf16 by default.
      if (row['vendor'] === 'google' && precision === 'fp32') continue;
      if (peak !== undefined) peakTflops[precision] = peak;
    }
    return [
      {
        kind,
        peakTflops,
        memoryGB: numberIn(row, 'memory_gb') ?? 0,
        memoryGBs: numberIn(row, 'mem_bw_gbs') ?? 0,
        source: `${row['source']} (${row['confidence']})`,
      },
    ];
  });
}
