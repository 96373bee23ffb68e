import type { LogLine } from '../../../../infra/cli/generated/api.ts';

export type Reading = { at: number; value: number };

/** A curve of numbers that the job printed. */
export type Curve = { name: string; readings: Reading[] };

const mostMetrics = 12;
const mostNames = 60;
const progressLine = /^weir progress /;
const pair = /(?:^|[\s,;|([])([A-Za-z][\w./-]{0,39}) ?[=:] ?(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=$|[\s,;|)\]%])/g;
/** Names that count how far a run is, instead of measuring it. */
const counters = new Set(['step', 'epoch', 'iteration', 'iter', 'batch', 'global_step', 'time', 'at']);

/** The numbers that a log tells again and again, as `{"loss":0.3}` or `loss=0.3`. Times in ms. */
export function curvesOfLog(lines: readonly LogLine[]): Curve[] {
  const metrics = new Map<string, Reading[]>();
  for (const { stream, text, at } of lines) {
    // Progress has a plot of its own.
    if (stream === 'weir' || progressLine.test(text)) continue;
    for (const [name, value] of numbersOf(text)) {
      if (!metrics.has(name) && metrics.size >= mostNames) continue;
      const curve = metrics.get(name) ?? [];
      curve.push({ at: Date.parse(at), value });
      metrics.set(name, curve);
    }
  }
  const curves = [...metrics].map(([name, readings]) => ({ name, readings }));
  return curves.filter(({ readings }) => readings.length > 1).slice(0, mostMetrics);
}

function numbersOf(text: string): [string, number][] {
  const found = text.startsWith('{')
    ? numbersOfJson(text)
    : [...text.matchAll(pair)].map(([, name = '', value]): [string, number] => [name, Number(value)]);
  return found.filter(([name, value]) => Number.isFinite(value) && !counters.has(name.toLowerCase()));
}

function numbersOfJson(text: string): [string, number][] {
  try {
    const parsed = JSON.parse(text) as Record<string, unknown>;
    return Object.entries(parsed).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  } catch {
    return [];
  }
}
