const prefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z'];

/** Three digits and a prefix of the SI, ready for a unit behind it: 1234567 is "1.23 M". */
export function withPrefix(value: number): string {
  const height = value < 1 ? 0 : Math.min(prefixes.length - 1, Math.floor(Math.log10(value) / 3));
  return `${Number((value / 1000 ** height).toPrecision(3))} ${prefixes[height]}`;
}

/** Compute, given in PFLOP/s-days: one core for a minute is some millionths of one. */
export function formatCompute(petaflopDays: number): string {
  return `${withPrefix(petaflopDays * 1e15)}FLOP/s-days`;
}

/** A rate, given in PFLOP/s. */
export function formatRate(petaflops: number): string {
  return `${withPrefix(petaflops * 1e15)}FLOP/s`;
}
