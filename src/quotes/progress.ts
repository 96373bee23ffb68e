/** What a job says of itself: so much of so much is done. */
export type Said = { done: number; total: number | null; unit: string | null };

/** Milliseconds since 1970, and how much was done then. */
export type Mark = [atMs: number, done: number];

/** What a job has said while it ran, thinned so that its speed can be read from it. Stored with the job. */
export type Track = Said & {
  /** Of which attempt the marks are. */
  attempt: number;
  /** Oldest first. */
  marks: Mark[];
  /** Units a millisecond in an earlier attempt; null where none got so far. */
  earlierRate: number | null;
};

/** A track as it was stored; null where there is none, or a former version of weir wrote it. */
export function toTrack(stored: unknown): Track | null {
  return typeof stored === 'object' && stored !== null && 'marks' in stored ? (stored as Track) : null;
}

/** So many marks are kept: when they are too many, every other one goes. */
const maxMarks = 24;

/** The track with what was said now. The same object where nothing new was said. */
export function advance(track: Track | null, said: Said, { atMs, attempt }: { atMs: number; attempt: number }): Track {
  if (track === null) return { ...said, attempt, marks: [[atMs, said.done]], earlierRate: null };
  const isSame = track.attempt === attempt && track.done === said.done && track.total === said.total;
  if (isSame) return track;
  // A resumed attempt goes on from its checkpoint; a count that falls or changes its unit is another count.
  const goesOn = track.attempt === attempt && track.unit === said.unit && said.done >= track.done;
  const marks: Mark[] = goesOn ? thinned([...track.marks, [atMs, said.done]]) : [[atMs, said.done]];
  const earlierRate = track.unit !== said.unit ? null : track.attempt === attempt ? track.earlierRate : ownRate(track);
  return { ...said, attempt, marks, earlierRate };
}

function thinned(marks: Mark[]): Mark[] {
  return marks.length <= maxMarks ? marks : marks.filter((_, at) => at % 2 === 0 || at === marks.length - 1);
}

/** As of its last mark: the time between two attempts is no silence. */
function ownRate(track: Track): number | null {
  return rateOf(track, track.marks.at(-1)?.[0] ?? 0)?.perMs ?? track.earlierRate;
}

export type Rate = {
  perMs: number;
  /** Standard deviation of its logarithm. */
  sigma: number;
  /** How long it usually takes from one mark to the next. */
  betweenMs: number;
};

/** How much one stretch between two marks may differ from the next, in logs, before enough were seen to say. */
const unseenDeviation = 0.3;

/** A job may yet become faster or slower by so much. */
const driftDeviation = 0.02;

/**
 * The recent speed: that of the newer half of the marks, so that setup and the first, slow steps do not count. A silence longer
 * than usual counts as time in which nothing was done. Undefined with fewer than two marks.
 */
export function rateOf({ marks }: Pick<Track, 'marks'>, nowMs: number): Rate | undefined {
  const recent = marks.slice(Math.floor((marks.length - 1) / 2));
  const first = recent[0];
  const last = recent.at(-1);
  const stretches = recent.length - 1;
  if (first === undefined || last === undefined || stretches < 1) return undefined;
  const [doneBetween, took] = [last[1] - first[1], last[0] - first[0]];
  if (doneBetween <= 0 || took <= 0) return undefined;
  const betweenMs = took / stretches;
  const silentMs = Math.max(0, nowMs - last[0] - 2 * betweenMs);
  const steady = doneBetween / took;
  const variance = deviationsOf(recent).reduce((sum, each) => sum + (each - Math.log(steady)) ** 2, 0);
  const ofStretch = (variance + unseenDeviation ** 2) / stretches;
  return {
    perMs: doneBetween / (took + silentMs),
    sigma: Math.sqrt(ofStretch / stretches + driftDeviation ** 2),
    betweenMs,
  };
}

/** The logarithm of the speed of each stretch in which something was done. */
function deviationsOf(marks: readonly Mark[]): number[] {
  return marks.slice(1).flatMap(([at, done], index) => {
    const [before, doneBefore] = marks[index] ?? [at, done];
    return done > doneBefore && at > before ? [Math.log((done - doneBefore) / (at - before))] : [];
  });
}
