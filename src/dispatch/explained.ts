import type { WaitingRow } from './waiting-store.ts';

/** A job's explanation that says the same, but for an expected start this much of the time ahead off, is left as it stands. */
const toleratedPart = 0.1;
const toleratedMs = 1_000;

/** What this process has written goes for so long: another one may have written since. */
const lifeMs = 10_000;

export type Explained = {
  /** Of these what is not written yet, as far as this process knows. */
  news: (rows: WaitingRow[], now: number) => WaitingRow[];
  /** What `news` answered last is written for good. */
  keep: () => void;
};

/** Remembers what the last round wrote of each waiting job, so that a round writes what changed and not what waits. */
export function createExplained(): Explained {
  let written = new Map<string, WaitingRow>();
  let writing = written;
  let writtenAt = -Infinity;
  let writingAt = writtenAt;
  return {
    news: (rows, now) => {
      if (now - writtenAt > lifeMs) written = new Map();
      writing = new Map();
      writingAt = now;
      return rows.filter((row) => {
        const before = written.get(row.id);
        const isNews = before === undefined || !saysTheSame(before, row, now);
        writing.set(row.id, isNews ? row : before);
        return isNews;
      });
    },
    keep: () => {
      written = writing;
      writtenAt = writingAt;
    },
  };
}

function saysTheSame(before: WaitingRow, after: WaitingRow, now: number): boolean {
  return (
    before.position === after.position &&
    isNear(before.eta.p50, after.eta.p50, now) &&
    isNear(before.eta.p90, after.eta.p90, now) &&
    isNear(before.reserved ?? null, after.reserved ?? null, now) &&
    JSON.stringify(before.blockers) === JSON.stringify(after.blockers)
  );
}

function isNear(before: string | null, after: string | null, now: number): boolean {
  if (before === null || after === null) return before === after;
  const ahead = Math.max(0, Date.parse(after) - now);
  return Math.abs(Date.parse(after) - Date.parse(before)) <= Math.max(toleratedMs, toleratedPart * ahead);
}
