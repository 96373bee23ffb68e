const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The pattern of a duration on the wire: `90s`, `30m`, `2h`, `1.5d`. Above zero, and no longer than calendars reach. */
export const durationPattern = '^(?=[0-9.]*[1-9])([0-9]{1,9}(\\.[0-9]{1,9})?[sm]|[0-9]{1,6}(\\.[0-9]{1,9})?[hd])$';

/** Of a stretch of the past up to now: as a duration, but within centuries, so that its beginning is a date. */
export const windowPattern = '(?=[0-9.]*[1-9])([0-9]{1,7}(\\.[0-9]{1,3})?[sm]|[0-9]{1,5}(\\.[0-9]{1,3})?[hd])';

export const dayMs = unitMs.d;
export const hourMs = unitMs.h;

/** Milliseconds of a duration such as `90s`. The text has passed `durationPattern`. */
export function parseDuration(text: string): number {
  const unit = text.at(-1) as keyof typeof unitMs;
  return Number(text.slice(0, -1)) * unitMs[unit];
}

/** A duration for people: `850 ms`, `12 s`, `3 min 20 s`, `2 h 5 min`, `4 d 2 h`. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds < 10 ? Number(seconds.toFixed(1)) : Math.round(seconds)} s`;
  const [large, small, largeName, smallName] = coarseUnits(seconds);
  return small === 0 ? `${large} ${largeName}` : `${large} ${largeName} ${small} ${smallName}`;
}

function coarseUnits(seconds: number): [number, number, string, string] {
  if (seconds < 3600) return [Math.floor(seconds / 60), Math.floor(seconds % 60), 'min', 's'];
  if (seconds < 86_400) return [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), 'h', 'min'];
  return [Math.floor(seconds / 86_400), Math.floor((seconds % 86_400) / 3600), 'd', 'h'];
}

/** The clock as an argument, so that a test may hold it. */
export type Clock = () => Date;
