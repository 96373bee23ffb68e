import type { LogLine } from '../../../../infra/cli/generated/api.ts';

export type Reading = { at: number; value: number };

/** A curve of numbers that the job printed. */
export type Curve = { name: string; readings: Reading[] };

export type Readings = {
  progress: (Reading & { total: number | null; unit: string })[];
  metrics: Curve[];
};

const mostMetrics = 12;
const mostNames = 60;
const progressLine = /^weir progress ([0-9.]+)(?:\/([0-9.]+))?(?: +(\S.{0,31}))?\s*$/;
const pair = /(?:^|[\s,;|([])([A-Za-z][\w./-]{0,39}) ?[=:] ?(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=$|[\s,;|)\]%])/g;
/** Names that count how far a run is, instead of measuring it. */
const counters = new Set(['step', 'epoch', 'iteration', 'iter', 'batch', 'global_step', 'time', 'at']);

/** What a log tells of progress and metrics: `weir progress 3/10 steps`, `{"loss":0.3}`, `loss=0.3`. Times in ms. */
export function readingsOf(lines: readonly LogLine[]): Readings {
  const progress: Readings['progress'] = [];
  const metrics = new Map<string, Reading[]>();
  for (const line of lines) {
    if (line.stream === 'weir') continue;
    const at = Date.parse(line.at);
    const told = progressLine.exec(line.text);
    if (told !== null) {
      progress.push({
        at,
        value: Number(told[1]),
        total: told[2] === undefined ? null : Number(told[2]),
        unit: told[3]?.trim() ?? '',
      });
      continue;
    }
    for (const [name, value] of numbersOf(line.text)) {
      if (!metrics.has(name) && metrics.size >= mostNames) continue;
      const curve = metrics.get(name) ?? [];
      curve.push({ at, value });
      metrics.set(name, curve);
    }
  }
  const curves = [...metrics]
    .map(([name, readings]) => ({ name, readings }))
    .filter(({ readings }) => readings.length > 1);
  return { progress, metrics: curves.slice(0, mostMetrics) };
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
