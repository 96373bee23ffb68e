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
const usualSamples = new Map(
  (presetTable.presets as { name: string; class?: string; workload: { examples?: number; epochs?: number } }[]).flatMap(
    ({ class: ofPreset, workload: { examples, epochs = 1 } }) =>
      ofPreset === undefined || examples === undefined ? [] : [[ofPreset, examples * epochs] as const],
  ),
);

/** Beyond the counts of its results a class is carried on like this: time falls with (n)^-0.85. */
const scalingBeyond = 0.85;

/**
 * `weight` is 1 where a run is one of the class, and falls to 0 the more or the less data it has than results of the class; with more
 * it takes at least as long as they do.
 */
export type ClassTime = { seconds: number; weight: number; atLeast: number };

/**
 * Seconds from the start of training to its target; undefined for what is no class, and for an accelerator none of whose
 * results are known.
 */
export function classTime(work: ClassWork, { kind, count }: { kind: string; count: number }): ClassTime | undefined {
  const entry = entryOf(work, kind);
  const usual = work.class === null ? undefined : samplesOfClass.get(work.class);
  if (entry === undefined || usual === undefined) return undefined;
  const seen = Math.min(Math.max(count, usual.counts.least), usual.counts.most);
  const batch = batchOf(work, usual, seen);
  const { amount, most, weight } = trainedOn(work, usual, batch);
  const secondsEach = 60 * Math.exp(logMinutes(entry, usual, seen, batch)) * (seen / count) ** scalingBeyond;
  return { seconds: secondsEach * amount, weight, atLeast: amount > most ? secondsEach * most : 0 };
}

/** Seconds of a run that is as much one of the class as its weight says, where without the class they would be `otherwise`. */
export function fadedSeconds({ seconds, weight, atLeast }: ClassTime, otherwise: number): number {
  return Math.max(atLeast, seconds ** weight * otherwise ** (1 - weight));
}

/** Half-width, in logs, of the 80 % interval of such a run, where without the class it is `otherwise`. */
export function classHalfWidth(work: ClassWork, kind: string, otherwise: number): number {
  const entry = entryOf(work, kind);
  const weight = classTime(work, { kind, count: 8 })?.weight ?? 0;
  if (entry === undefined) return otherwise;
  const ofClass = entry.deviation * (entry.rows > 0 ? intervals.classes.seen : intervals.classes.new);
  return weight * ofClass + (1 - weight) * otherwise;
}

function entryOf({ class: name }: ClassWork, kind: string): Entry | undefined {
  return name === null ? undefined : entries.get(`${name} ${kind}`);
}

function isUsual({ class: name, samples }: ClassWork): boolean {
  return samples === null || usualSamples.get(name ?? '') === samples;
}

function batchOf(work: ClassWork, { batch }: Samples, count: number): number {
  const usually = Math.exp(batch.intercept + batch.slope * Math.log(count));
  return isUsual(work) || work.batchSize === null ? usually : work.batchSize;
}

/** Results of a class differ by so much in what they train on for reasons of rounding alone. */
const slack = 1.05;

/**
 * By what factor fewer, or more, data make a run none of the class. Fewer pass at the same speed, and software tuned for a record
 * is up to twenty times as fast: faded sooner, fewer data would take longer. Longer trainings are for other ends than a record.
 */
const fewer = 1000;
const more = Math.SQRT2;

/** Samples (or, where the class is modelled as a whole, such wholes), the most that results have, and how far this is the class. */
type Trained = { amount: number; most: number; weight: number };

function trainedOn(work: ClassWork, { samples }: Samples, batch: number): Trained {
  const usual = usualSamples.get(work.class ?? '') ?? 1;
  const { least, most } = samples ?? { least: usual, most: usual };
  const unit = samples === null ? usual : 1;
  if (isUsual(work))
    return { amount: samples === null ? 1 : usualAmount(samples, batch), most: most / unit, weight: 1 };
  const stated = work.samples ?? least;
  const below = Math.log(least / slack / stated) / Math.log(fewer);
  const above = Math.log(stated / slack / most) / Math.log(more);
  return { amount: stated / unit, most: (slack * most) / unit, weight: Math.max(0, 1 - Math.max(0, below, above)) };
}

function usualAmount({ least, most, intercept, slope }: NonNullable<Samples['samples']>, batch: number): number {
  return Math.min(most, Math.max(least, Math.exp(intercept + slope * Math.log(batch))));
}

function logMinutes({ terms, atCount }: Entry, { batchCentre }: Samples, count: number, batch: number): number {
  const gang = Math.log(count) - 3;
  const each = Math.log(batch / count) - batchCentre;
  const values = [1, gang, gang ** 2 / 3, each, each ** 2 / 3, (gang * each) / 3];
  const sum = values.reduce((total, value, at) => total + value * (terms[at] ?? 0), 0);
  return sum + ((atCount as Record<string, number>)[Math.round(Math.log2(count))] ?? 0);
}
