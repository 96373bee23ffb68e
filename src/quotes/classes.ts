import fitted from './fitted/classes.json' with { type: 'json' };
import intervals from './fitted/intervals.json' with { type: 'json' };
import presetTable from './catalogue/presets.json' with { type: 'json' };

/** Training to a quality target as an MLPerf class does it: what its results trained on is known, and their speed by accelerator. */
export type ClassWork = {
  class: string | null;
  /** Of the whole run; null where unknown. */
  samples: number | null;
  batchSize: number | null;
};

type Entry = (typeof fitted.entries)[number];
type Samples = (typeof fitted.samples)[number];

const entries = new Map(fitted.entries.map((entry) => [`${entry.class} ${entry.kind}`, entry]));
const samplesOfClass = new Map(fitted.samples.map((each) => [each.class, each]));

/** What the presets of a class train on: it stands for as much as a result of the size in question takes. */
const usualSamples = new Set(
  (presetTable.presets as { class?: string; workload: { examples?: number; epochs?: number } }[]).flatMap(
    ({ class: ofPreset, workload: { examples, epochs = 1 } }) =>
      ofPreset === undefined || examples === undefined ? [] : [`${ofPreset} ${examples * epochs}`],
  ),
);

/** Beyond the counts of its results a class is carried on like this: time falls with (n)^-0.85. */
const scalingBeyond = 0.85;

/**
 * Seconds from the start of training to its target; undefined for what is no class, for an accelerator none of whose results are
 * known, and for other amounts of data than results of the class have trained on.
 */
export function classSeconds(work: ClassWork, { kind, count }: { kind: string; count: number }): number | undefined {
  const entry = entryOf(work, kind);
  const usual = work.class === null ? undefined : samplesOfClass.get(work.class);
  if (entry === undefined || usual === undefined) return undefined;
  const seen = Math.min(Math.max(count, usual.counts.least), usual.counts.most);
  const batch = batchOf(work, usual, seen);
  const samples = trainedOn(work, usual, batch);
  if (samples === undefined) return undefined;
  return 60 * samples * Math.exp(logMinutes(entry, usual, seen, batch)) * (seen / count) ** scalingBeyond;
}

/** Half-width, in logs, of the 80 % interval of such a run; undefined where classSeconds is. */
export function classHalfWidth(work: ClassWork, kind: string): number | undefined {
  const entry = entryOf(work, kind);
  if (entry === undefined || classSeconds(work, { kind, count: 8 }) === undefined) return undefined;
  return entry.deviation * (entry.rows > 0 ? intervals.classes.seen : intervals.classes.new);
}

function entryOf({ class: name }: ClassWork, kind: string): Entry | undefined {
  return name === null ? undefined : entries.get(`${name} ${kind}`);
}

function isUsual({ class: name, samples }: ClassWork): boolean {
  return samples === null || usualSamples.has(`${name} ${samples}`);
}

function batchOf(work: ClassWork, { batch }: Samples, count: number): number {
  const usually = Math.exp(batch.intercept + batch.slope * Math.log(count));
  return isUsual(work) || work.batchSize === null ? usually : work.batchSize;
}

/** Results of a class differ by so much in what they train on for reasons of rounding alone. */
const slack = 1.05;

/** Samples, or one where the class is modelled as a whole; undefined for other data than its results train on. */
function trainedOn(work: ClassWork, { samples }: Samples, batch: number): number | undefined {
  if (samples === null) return isUsual(work) ? 1 : undefined;
  const { least, most, intercept, slope } = samples;
  const stated = work.samples ?? least;
  if (stated < least / slack || stated > most * slack) return undefined;
  const usually = Math.exp(intercept + slope * Math.log(batch));
  return isUsual(work) ? Math.min(most, Math.max(least, usually)) : stated;
}

function logMinutes({ terms, atCount }: Entry, { batchCentre }: Samples, count: number, batch: number): number {
  const gang = Math.log(count) - 3;
  const each = Math.log(batch / count) - batchCentre;
  const values = [1, gang, gang ** 2 / 3, each, each ** 2 / 3, (gang * each) / 3];
  const sum = values.reduce((total, value, at) => total + value * (terms[at] ?? 0), 0);
  return sum + ((atCount as Record<string, number>)[Math.round(Math.log2(count))] ?? 0);
}
