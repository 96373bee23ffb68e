/** A piece of a sentence of the service: its words, a job or a moment. */
export type ProsePart = string | { job: string } | { at: string };

const pieces = /(job_[0-9a-z]{26}|\d{4}-\d\d-\d\dT[\d:.]+Z|(?:\d{4}-\d\d-\d\d )?\d\d:\d\d UTC)/;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export function proseParts(text: string, nowMs: number): ProsePart[] {
  return text.split(pieces).flatMap((part, at): ProsePart[] => {
    if (part === '') return [];
    if (at % 2 === 0) return [part];
    return [part.startsWith('job_') ? { job: part } : { at: momentOf(part, nowMs) }];
  });
}

function momentOf(text: string, nowMs: number): string {
  if (text.endsWith('Z')) return text;
  const [time = '', date] = text.replace(' UTC', '').split(' ').toReversed();
  if (date !== undefined) return `${date}T${time}:00Z`;
  // A time without its date is within a day; it may have passed since it was told.
  const today = Date.parse(`${new Date(nowMs).toISOString().slice(0, 10)}T${time}:00Z`);
  const next = [today - dayMs, today, today + dayMs].find((each) => each > nowMs - hourMs) ?? today;
  return new Date(next).toISOString();
}
