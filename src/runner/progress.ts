import type { Heartbeat } from '../protocol/runner.ts';

export type Progress = Omit<NonNullable<Heartbeat['progress']>, 'ageMs'>;
/** And when it was said. */
export type DatedProgress = Progress & { atMs: number };

const maxUnitLength = 32;

const plain = /^weir progress ([0-9]+(?:\.[0-9]+)?)(?:\/([0-9]+(?:\.[0-9]+)?))?(?: +(\S.{0,31}))?\s*$/;

/** The progress that a line of output tells: `weir progress 120/5000 steps` or `{"weir":{"done":120,"total":5000,"unit":"steps"}}`. */
export function readProgress(line: string): Progress | undefined {
  const found = plain.exec(line);
  if (found !== null) return progressOf(Number(found[1]), Number(found[2] ?? NaN), found[3]?.trimEnd());
  return line.startsWith('{"weir"') ? readJson(line) : undefined;
}

/** The same where nothing but progress is expected, so that it need not be marked: `120/5000 steps`, `{"done":120}`. */
export function readAnyProgress(line: string): Progress | undefined {
  if (line.startsWith('{')) return readJson(line);
  return readProgress(line.startsWith('weir ') ? line : `weir progress ${line}`);
}

type Told = { done?: unknown; total?: unknown; unit?: unknown };

function readJson(line: string): Progress | undefined {
  try {
    const parsed = JSON.parse(line) as Told & { weir?: Told | null };
    const told = parsed.weir === undefined ? parsed : parsed.weir;
    return progressOf(told?.done, told?.total, told?.unit);
  } catch {
    return undefined;
  }
}

/** What is no number that JSON can carry, as 1e999 is none, tells nothing; what can't be stored is taken out of the unit. */
function progressOf(done: unknown, total: unknown, unit: unknown): Progress | undefined {
  if (!isNumber(done)) return undefined;
  return { done, total: isNumber(total) ? total : null, unit: typeof unit === 'string' ? storable(unit) : null };
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function storable(text: string): string {
  return Array.from(text.toWellFormed().replaceAll(/\p{Cc}/gu, ' '))
    .slice(0, maxUnitLength)
    .join('');
}

/** The last progress that these lines tell. */
export function lastProgress(lines: string[]): Progress | undefined {
  for (let index = lines.length - 1; index >= 0; index--) {
    const line = lines[index];
    if (line?.includes('weir') !== true) continue;
    const progress = readProgress(line);
    if (progress !== undefined) return progress;
  }
  return undefined;
}
