/** Every benchmark ends with this: one object with `--json`, else a line for each figure of its summary. */
export function finish(result: { summary: Record<string, number | string> } & Record<string, unknown>): void {
  const { summary, ...details } = result;
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ ...details, summary })}\n`);
    return;
  }
  for (const [name, value] of Object.entries(summary))
    process.stdout.write(`${name.padEnd(32)} ${typeof value === 'number' ? Number(value.toPrecision(4)) : value}\n`);
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The value below which this part of all lies. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? NaN;
}
