import type { JobSpec, Workload } from '../protocol/job-spec.ts';
import { supports, type Precision } from './catalogue.ts';
import { modelSeconds } from './predict.ts';
import { priorOf } from './prior.ts';
import type { Gang } from './speed.ts';
import { resolveWork, type Work } from './work.ts';

/** A field that the spec leaves out, and by what factor its usual values move the duration, up and down together. */
export type Telling = { field: string; factor: number };

/** What a field might turn out to be; nothing where it is stated or says nothing of this work. */
type Question = { field: string; answers: (work: Work, stated: Workload, gang: Gang) => Workload[] };

const isTransformer = ({ basis, activeParameters }: Work): boolean =>
  (basis === 'transformer' || basis === 'preset') && activeParameters !== null;

const questions: readonly Question[] = [
  {
    // With what it is of: FLOP of a model of no kind say less.
    field: 'flops',
    answers: ({ flops }, { kind }) => (flops === null ? [{ flops: 1e18, kind: kind ?? 'llm' }] : []),
  },
  {
    field: 'expectedDuration',
    answers: ({ basis }) => (basis === 'default' ? [{ expectedDuration: '10m' }] : []),
  },
  {
    field: 'kind',
    answers: ({ basis, kind }) =>
      kind === 'other' && (basis === 'flops' || basis === 'examples')
        ? (['llm', 'vision', 'other'] as const).map((answer) => ({ kind: answer }))
        : [],
  },
  {
    field: 'precision',
    answers: (work, _stated, { kind }) =>
      work.flops === null || work.precision !== null || kind === 'cpu'
        ? []
        : usualPrecisions(work)
            .filter((answer) => supports(kind, answer))
            .map(asPrecision),
  },
  {
    field: 'epochs',
    answers: ({ basis }, { preset, epochs }) =>
      basis === 'examples' && preset === undefined && epochs === undefined ? [{ epochs: 1 }, { epochs: 10 }] : [],
  },
  {
    // A convolution uses each of its weights at many places.
    field: 'flopsPerExample',
    answers: ({ basis, parameters }, { flopsPerExample, preset }) =>
      basis === 'examples' && parameters !== null && preset === undefined && flopsPerExample === undefined
        ? [{ flopsPerExample: 6 * parameters }, { flopsPerExample: 600 * parameters }]
        : [],
  },
  {
    field: 'activeParameters',
    answers: (work, { activeParameters }) =>
      work.kind === 'moe' && isTransformer(work) && activeParameters === undefined && work.parameters !== null
        ? [{ activeParameters: work.parameters / 20 }, { activeParameters: work.parameters / 4 }]
        : [],
  },
  {
    field: 'sequenceLength',
    answers: (work) =>
      isTransformer(work) && work.shape.sequenceLength === null
        ? [512, 2048, 8192].map((sequenceLength) => ({ sequenceLength }))
        : [],
  },
  {
    field: 'hiddenSize',
    answers: (work) => {
      const { hiddenSize, sequenceLength } = work.shape;
      if (!isTransformer(work) || hiddenSize !== null || sequenceLength === null) return [];
      const usual = Math.cbrt((128 * (work.activeParameters ?? 0)) / 12);
      return [usual / 1.5, usual * 1.5].map((width) => ({ hiddenSize: Math.max(1, Math.round(width)) }));
    },
  },
  {
    field: 'batchSize',
    answers: ({ flops, samples, shape }) =>
      flops === null || samples === null || shape.batchSize !== null
        ? []
        : [64, 512, 4096].map((batchSize) => ({ batchSize })),
  },
];

/** Nobody trains so large a model in fp32. */
const leastOfHalfPrecision = 1e9;

function usualPrecisions({ parameters, flops }: Work): readonly Precision[] {
  // A model of unknown size is taken to have a twentieth of its tokens (arXiv:2203.15556): 120·N² FLOP.
  const size = parameters ?? Math.sqrt((flops ?? 0) / 120);
  return size > leastOfHalfPrecision ? ['bf16', 'fp16', 'fp8'] : ['fp32', 'bf16', 'fp8'];
}

const asPrecision = (precision: NonNullable<Workload['precision']>): Workload => ({ precision });

/** Below this nobody needs to be asked. */
const leastFactor = 1.05;

/**
 * The one field that would tell most about this job, found by trying: each field that is not stated is given its usual values,
 * and what counts is how far they move the prediction, and by how much the interval of such a job is narrower. Undefined where
 * none would tell anything.
 */
export function mostTelling(spec: JobSpec, work: Work, gang: Gang): Telling | undefined {
  const stated = spec.workload ?? {};
  const width = priorOf(work, gang.kind).halfWidth;
  let best: Telling | undefined;
  for (const { field, answers } of questions) {
    const tried = answers(work, stated, gang).map((answer) => resolveWork({ ...stated, ...answer }));
    if (tried.length === 0) continue;
    const seconds = tried.map((answered) => modelSeconds(spec, answered, gang) ?? 1);
    const moved = tried.length === 1 ? 0 : Math.log(Math.max(...seconds) / Math.min(...seconds));
    const narrowed = Math.max(0, width - Math.max(...tried.map((answered) => priorOf(answered, gang.kind).halfWidth)));
    const factor = Math.exp(moved + 2 * narrowed);
    if (factor > Math.max(leastFactor, best?.factor ?? 0)) best = { field, factor: Number(factor.toPrecision(3)) };
  }
  return best;
}
