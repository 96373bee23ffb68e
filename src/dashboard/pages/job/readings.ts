import type { LogLine } from '../../../../infra/cli/generated/api.ts';

export type Reading = { at: number; value: number };

/** A curve of numbers that the job printed on one of its nodes. */
export type Curve = { name: string; node: number; readings: readonly Reading[] };

/** By the name of what was read. */
export type Readings = ReadonlyMap<string, Curve>;

export const noReadings: Readings = new Map();

const mostMetrics = 12;
const mostNames = 60;
const mostReadings = 20_000;
const progressLine = /^weir progress /;
const pair = /(?:^|[\s,;|([])([A-Za-z][\w./-]{0,39}) ?[=:] ?(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=$|[\s,;|)\]%])/g;
/** Names that count how far a run is, instead of measuring it. */
const counters = new Set(['step', 'epoch', 'iteration', 'iter', 'batch', 'global_step', 'time', 'at']);

/**
 * What was read with what came since: a log is read once, however long it is. Where several nodes print the same, the first of them
 * counts; together their lines would be a zigzag.
 */
export function withReadings(former: Readings, lines: readonly LogLine[]): Readings {
  const curves = new Map<string, Curve & { readings: Reading[] }>();
  for (const { stream, text, at, node } of lines) {
    // Progress has a plot of its own.
    if (stream === 'weir' || progressLine.test(text)) continue;
    for (const [name, value] of numbersOf(text)) {
      const known = curves.get(name) ?? former.get(name);
      if (known === undefined && former.size + curves.size >= mostNames) continue;
      if (known !== undefined && known.node < node) continue;
      const curve = curves.get(name);
      if (curve?.node === node) curve.readings.push({ at: Date.parse(at), value });
      else curves.set(name, { name, node, readings: [{ at: Date.parse(at), value }] });
    }
  }
  const next = new Map(former);
  for (const [name, { node, readings }] of curves) {
    const before = former.get(name);
    const all = before?.node === node ? [...before.readings, ...readings] : readings;
    next.set(name, { name, node, readings: all.slice(-mostReadings) });
  }
  return next;
}

/** The numbers that a log tells again and again, as `{"loss":0.3}` or `loss=0.3`. Times in ms. */
export function curvesOfLog(readings: Readings): Curve[] {
  return [...readings.values()].filter((curve) => curve.readings.length > 1).slice(0, mostMetrics);
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
