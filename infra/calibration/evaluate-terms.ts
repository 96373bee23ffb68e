import type { SharePoint } from '../../src/quotes/share.ts';
import type { Tables } from './compact.ts';
import { quantile } from './score.ts';
import {
  fitShare,
  observeAll,
  observeElsewhere,
  predictLogShare,
  quotedTerms,
  type Observation,
  type Term,
} from './share-model.ts';

/** How well the model does with one more term, on rows whose origin the fit had not seen. */
export type TermReport = {
  name: string;
  meaning: string;
  /** The coefficient, fitted to all rows. */
  value: number | null;
  /** Mean |ln(predicted ÷ actual)| and median |predicted ÷ actual - 1| of whole runs. */
  runs: { meanLog: number; medianErrorPercent: number };
  /** The same mean of these and of the runs elsewhere, with all of them in the fit. */
  allRunsMeanLog: number;
  /** The same mean of steady rates of language models. */
  steadyMeanLog: number;
};

const isLanguage = ({ kind }: SharePoint): boolean => kind === 'llm' || kind === 'moe' || kind === 'encoder';
const isNetworked = (point: SharePoint): boolean => isLanguage(point) && point.family !== 'tpu' && point.count > 8;
const when = (is: boolean): number => (is ? 1 : 0);

type Candidate = Term & { meaning: string };

/** What the nodes and their network, or the times, could add. Steps measured of a model on many nodes are in step-model.ts. */
const candidates: readonly Candidate[] = [
  {
    name: 'smallness',
    meaning: 'ln(parameters ÷ 7e9)² ÷ 4 below 7 billion',
    of: (point) => (isLanguage(point) ? Math.min(0, Math.log((point.parameters ?? 7e9) / 7e9)) ** 2 / 4 : 0),
    belief: { mean: 0, deviation: 0.1 },
  },
  {
    name: 'encoderOnTpu',
    meaning: 'encoders on TPUs, beside early ones',
    of: ({ kind, family }) => when(kind === 'encoder' && family === 'tpu'),
    belief: { mean: 0, deviation: 0.3 },
  },
  {
    name: 'acrossMachines',
    meaning: 'more than one machine of eight, GPUs',
    of: (point) => when(isNetworked(point)),
    belief: { mean: -0.05, deviation: 0.2 },
  },
  {
    name: 'machines',
    meaning: 'ln(machines of eight), GPUs',
    of: (point) => (isNetworked(point) ? Math.log(point.count / 8) : 0),
    belief: { mean: -0.02, deviation: 0.05 },
  },
  {
    name: 'smallShare',
    meaning: 'ln(parameters ÷ accelerator ÷ 1e8), GPUs across machines: little work for what the network carries',
    of: (point) => (isNetworked(point) ? Math.log((point.parameters ?? 7e9) / point.count / 1e8) : 0),
    belief: { mean: 0, deviation: 0.1 },
  },
  {
    name: 'fp16Run',
    meaning: 'whole runs in fp16 where there is bf16: stacks of before 2023',
    of: ({ isSteady, precision, hasBf16, kind }) =>
      when(!isSteady && precision === 'fp16' && hasBf16 && isLanguage({ kind } as SharePoint)),
    belief: { mean: 0, deviation: 0.3 },
  },
  {
    name: 'sizeOnHopper',
    meaning: 'ln(parameters ÷ 7e9) on H100 and its kin',
    of: (point) => (isLanguage(point) && point.family === 'hopper' ? Math.log((point.parameters ?? 7e9) / 7e9) : 0),
    belief: { mean: 0, deviation: 0.1 },
  },
];

type Variant = { name: string; meaning: string; terms: readonly Term[] };

/** The terms that are in, without those that were added last, and each candidate beside them. */
const variants: readonly Variant[] = [
  { name: 'as it is', meaning: '', terms: quotedTerms },
  ...[['steadyMixture'], ['tuning'], ['steadyMixture', 'tuning'], ['diffusion'], ['earlyEncoder'], ['size']].map(
    (left) => ({
      name: `without ${left.join(', ')}`,
      meaning: '',
      terms: quotedTerms.filter(({ name }) => !left.includes(name)),
    }),
  ),
  ...candidates.map((candidate) => ({ ...candidate, terms: [...quotedTerms, candidate] })),
];

export function evaluateTerms(tables: Tables): TermReport[] {
  const observations = observeAll(tables);
  const everywhere = [...observations, ...observeElsewhere(tables)];
  return variants.map(({ name, meaning, terms }) => {
    const everyRun = residualsOf(everywhere, terms).filter(({ point }) => !point.isSteady);
    const residuals = residualsOf(observations, terms);
    const runs = residuals.filter(({ point }) => !point.isSteady).map(({ residual }) => residual);
    const steady = residuals.filter(({ point }) => point.isSteady && isLanguage(point));
    return {
      name,
      meaning,
      value: fitShare(observations, terms)[name] ?? null,
      runs: {
        meanLog: meanAbsolute(runs),
        medianErrorPercent: medianError(runs),
      },
      allRunsMeanLog: meanAbsolute(everyRun.map(({ residual }) => residual)),
      steadyMeanLog: meanAbsolute(steady.map(({ residual }) => residual)),
    };
  });
}

/** ln(predicted ÷ actual time) of each row, by a fit without its origin. */
function residualsOf(observations: readonly Observation[], terms: readonly Term[]) {
  return [...Map.groupBy(observations, ({ origin }) => origin)].flatMap(([origin, own]) => {
    const fit = fitShare(
      observations.filter((each) => each.origin !== origin),
      terms,
    );
    return own.map(({ point, logShare }) => ({ point, residual: logShare - predictLogShare(fit, point, terms) }));
  });
}

function medianError(residuals: readonly number[]): number {
  const errors = residuals.map((residual) => Math.abs(Math.expm1(residual)));
  return Number((100 * quantile(errors, 0.5)).toFixed(1));
}

/**
 * Median error of whole runs in % where the choice among the variants is made without them too: for each origin by the mean of
 * |ln(predicted ÷ actual)| on the others, each in turn left out with it.
 */
export function nestedMedianError(tables: Tables): number {
  const observations = observeAll(tables);
  const origins = [...new Set(observations.filter(({ point }) => !point.isSteady).map(({ origin }) => origin))];
  const tried = variants.map(({ terms }) => residualsOfPairs(observations, origins, terms));
  const residuals = origins.flatMap((outer) => {
    const others = origins.filter((origin) => origin !== outer);
    const lossOf = (residualsIn: (typeof tried)[number]): number =>
      meanAbsolute(others.flatMap((inner) => residualsIn(inner, outer)));
    const [best] = tried.toSorted((left, right) => lossOf(left) - lossOf(right));
    return best?.(outer, outer) ?? [];
  });
  return medianError(residuals);
}

/** Residuals of the whole runs of one origin, by a fit without it and another. */
function residualsOfPairs(
  observations: readonly Observation[],
  origins: readonly string[],
  terms: readonly Term[],
): (of: string, other: string) => number[] {
  const known = new Map<string, number[]>();
  for (const [at, one] of origins.entries())
    for (const other of origins.slice(at)) {
      const fit = fitShare(
        observations.filter(({ origin }) => origin !== one && origin !== other),
        terms,
      );
      const residualsIn = (of: string): number[] =>
        observations
          .filter(({ origin, point }) => origin === of && !point.isSteady)
          .map(({ point, logShare }) => logShare - predictLogShare(fit, point, terms));
      known.set(`${one} without ${other}`, residualsIn(one));
      known.set(`${other} without ${one}`, residualsIn(other));
    }
  return (of, other) => known.get(`${of} without ${other}`) ?? [];
}

function meanAbsolute(values: readonly number[]): number {
  return Number((values.reduce((sum, value) => sum + Math.abs(value), 0) / values.length).toFixed(4));
}
