import { formatDuration, parseDuration } from '../core/time.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Measured, Quote, QuoteOption } from '../protocol/quote.ts';
import type { PilotEvidence } from './interval.ts';
import { modelSeconds } from './predict.ts';
import { rateOf, type Track } from './progress.ts';
import { gangOf } from './speed.ts';
import type { Work } from './work.ts';

/** The label by which a tenant knows a pilot among its jobs: its value is the quote. */
const pilotLabel = 'weir-pilot';

const suffix = '-pilot';
const maxNameLength = 128;

/** Where a pilot runs: on the cheapest that is feasible, on this installation's own hardware where that can do it. */
export function pilotOption({ options }: Pick<Quote, 'options'>): QuoteOption | undefined {
  const feasible = options.filter((option) => option.feasible);
  const own = feasible.filter(({ offer }) => offer.provider === 'local');
  return (own.length > 0 ? own : feasible).toSorted((a, b) => a.offer.hourlyUsd - b.offer.hourlyUsd)[0];
}

/**
 * The job that a pilot is: the spec's own command on that option, for so long at most. What it makes is not kept, nobody is told
 * of it or waits for it, and of its failures only those of machines are tried again.
 */
export function pilotSpec(spec: JobSpec, quoteId: string, { offer }: QuoteOption, maxMs: number): JobSpec {
  const { outputs: _outputs, checkpoints: _checkpoints, webhooks: _webhooks, ...kept } = spec;
  const { dependsOn: _dependsOn, deadline: _deadline, ...rest } = kept;
  const { kind, count } = offer.accelerators;
  const isChosen = kind !== 'cpu' && !/^v\d/.test(kind);
  return {
    ...rest,
    name: spec.name.slice(0, maxNameLength - suffix.length) + suffix,
    labels: { ...spec.labels, [pilotLabel]: quoteId },
    resources: {
      ...spec.resources,
      ...(isChosen ? { accelerators: `${kind}:${count}`, nodes: offer.nodes } : {}),
      providers: [offer.provider],
      market: offer.market,
    },
    objective: 'cheapest',
    maxDuration: shorter(spec.maxDuration, maxMs),
    retries: { max: 1, on: ['preemption', 'infrastructure'] },
  };
}

function shorter(stated: string | undefined, maxMs: number): string {
  return stated !== undefined && parseDuration(stated) < maxMs ? stated : `${maxMs / 1000}s`;
}

/** What is known of a pilot that has ended. */
export type Ended = {
  reason: string | null;
  message: string | null;
  track: Track | null;
  attempt: { number: number; startedAt: Date; finishedAt: Date } | undefined;
  option: QuoteOption;
};

/** What a pilot came to: a duration of the whole job, or why there is none. */
export type Verdict = { measured: Measured | null; message: string };

/** Beyond the speed's own spread: a probe of 50 to 100 steps of MLPerf's logs held 80 % within ×1.04 (docs/quotes.md). */
const probeHalfWidth = Math.log(1.04);

/** A whole run says as much as any run of a job's name. */
const runHalfWidth = Math.log(1.1);

/** From the middle of a normal distribution to the end of its 80 % interval, in standard deviations. */
const deviationsOf80 = 1.2816;

/** A speed takes at least so many marks: the first of them is of the warm-up. */
const leastMarks = 3;

const howToTell =
  'Print lines such as `weir progress 120/5000 steps` (docs/quotes.md), a few in each second or minute.';

/** Measures the whole job by its pilot: the time until it was at speed, and all of its work at the speed it reached. */
export function measuredBy({ reason, message, attempt, track, option }: Ended): Verdict {
  if (attempt === undefined) return nothing(`The pilot never ran. ${message ?? ''}`.trim());
  if (reason === 'completed') return whole(option, attempt);
  if (reason !== 'pilot-ended' && reason !== 'max-duration') return nothing(`The pilot failed: ${message ?? reason}`);
  return byProgress(attempt, track, option);
}

type Attempt = NonNullable<Ended['attempt']>;

function byProgress({ number, startedAt, finishedAt }: Attempt, track: Track | null, option: QuoteOption): Verdict {
  const ran = (finishedAt.getTime() - startedAt.getTime()) / 1000;
  if (track === null || track.attempt !== number)
    return nothing(`The pilot ran ${formatDuration(ran)} and printed no progress. ${howToTell}`);
  if (track.total === null || track.total <= 0)
    return nothing(`The pilot's progress has no total, so the whole is not known from it. ${howToTell}`);
  const lastMs = track.marks.at(-1)?.[0] ?? 0;
  const rate = rateOf(track, lastMs);
  if (rate === undefined || track.marks.length < leastMarks)
    return nothing(`The pilot printed its progress ${track.marks.length} times: too few to see a speed. ${howToTell}`);
  // What is left of the time until the last mark when its work is taken off at full speed: setup, loading, compiling.
  const before = Math.max(0, lastMs - startedAt.getTime() - track.done / rate.perMs) / 1000;
  const spreadFactor = Math.exp(Math.max(probeHalfWidth, deviationsOf80 * rate.sigma));
  const speed = Number((rate.perMs * 1000).toPrecision(3));
  return {
    measured: {
      ...machinesOf(option),
      durationSeconds: before + track.total / rate.perMs / 1000,
      spreadFactor,
    },
    message: `Measured by a pilot on ${placeOf(option)}: ${track.done} of ${track.total} ${track.unit ?? 'units'} in ${formatDuration(ran)}, at ${speed} a second after ${formatDuration(before)}.`,
  };
}

function whole(option: QuoteOption, { startedAt, finishedAt }: Attempt): Verdict {
  const seconds = (finishedAt.getTime() - startedAt.getTime()) / 1000;
  return {
    measured: { ...machinesOf(option), durationSeconds: seconds, spreadFactor: Math.exp(runHalfWidth) },
    message: `The pilot ran the whole job on ${placeOf(option)}, in ${formatDuration(seconds)}.`,
  };
}

const nothing = (message: string): Verdict => ({ measured: null, message });

function machinesOf({ offer }: QuoteOption): Pick<Measured, 'accelerators' | 'gigaflopsPerCore'> {
  const { kind, count, gigaflopsPerCore } = gangOf(offer);
  return { accelerators: { kind, count }, ...(gigaflopsPerCore === undefined ? {} : { gigaflopsPerCore }) };
}

function placeOf({ offer }: QuoteOption): string {
  return `${offer.provider}, ${offer.accelerators.count * offer.nodes} ${offer.accelerators.kind}`;
}

/** A measured duration as evidence beside finished jobs; undefined for another kind of machine than is asked for. */
export function evidenceOf(measured: Measured, spec: JobSpec, work: Work, kind: string): PilotEvidence | undefined {
  const { accelerators, gigaflopsPerCore, durationSeconds, spreadFactor } = measured;
  const modelled =
    accelerators.kind === kind ? modelSeconds(spec, work, { ...accelerators, gigaflopsPerCore }) : undefined;
  if (modelled === undefined || modelled <= 0) return undefined;
  const logRatio = Math.log(Math.max(0.001, durationSeconds) / modelled);
  return { logRatio, halfWidth: Math.log(spreadFactor), count: accelerators.count };
}
