import type { Heartbeat } from '../protocol/runner.ts';

export type Progress = NonNullable<Heartbeat['progress']>;

const plain = /^weir progress ([0-9]+(?:\.[0-9]+)?)(?:\/([0-9]+(?:\.[0-9]+)?))?(?: +(\S.{0,31}))?\s*$/;

/** The progress that a line of output tells: `weir progress 120/5000 steps` or `{"weir":{"done":120,"total":5000,"unit":"steps"}}`. */
export function readProgress(line: string): Progress | undefined {
  const found = plain.exec(line);
  if (found !== null) {
    return {
      done: Number(found[1]),
      total: found[2] === undefined ? null : Number(found[2]),
      unit: found[3]?.trimEnd() ?? null,
    };
  }
  return line.startsWith('{"weir"') ? readJson(line) : undefined;
}

function readJson(line: string): Progress | undefined {
  try {
    const { weir } = JSON.parse(line) as { weir?: { done?: unknown; total?: unknown; unit?: unknown } | null };
    if (typeof weir?.done !== 'number') return undefined;
    return {
      done: weir.done,
      total: typeof weir.total === 'number' ? weir.total : null,
      unit: typeof weir.unit === 'string' ? weir.unit.slice(0, 32) : null,
    };
  } catch {
    return undefined;
  }
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
