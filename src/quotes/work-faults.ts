import { distance } from 'fastest-levenshtein';
import type { Fault } from '../core/errors.ts';
import { WeirError } from '../core/errors.ts';
import type { Workload } from '../protocol/job-spec.ts';
import { presets } from './presets.ts';
import { tokensOf } from './transformer.ts';

type Check = (workload: Workload) => Fault | undefined;

const fault = (field: string, detail: string): Fault => ({ pointer: `/workload/${field}`, detail });

/** Fields that are counts in the thousands at least: a small figure was meant in billions. */
const large = { parameters: 1e3, activeParameters: 1e3, tokens: 1e3, flops: 1e3 } as const;

const probablyMeant = { parameters: 'e9', activeParameters: 'e9', tokens: 'e9', flops: 'e18' } as const;

const implausiblySmall: Check[] = (Object.keys(large) as (keyof typeof large)[]).map((field) => (workload) => {
  const value = workload[field];
  if (value === undefined || value >= large[field]) return undefined;
  return fault(
    field,
    `${field} is ${value}: it is a whole count, so ${value}${probablyMeant[field]} was probably meant.`,
  );
});

const checks: Check[] = [
  ...implausiblySmall,
  ({ preset }) =>
    preset === undefined || presets.has(preset)
      ? undefined
      : fault('preset', `There is no preset ${preset}. Near it are: ${nearestPresets(preset).join(', ')}.`),
  ({ tokens, examples }) =>
    tokens === undefined || examples === undefined
      ? undefined
      : fault(
          'examples',
          'tokens and examples both say how much data there is: keep tokens for a language model, examples with epochs for anything else.',
        ),
  ({ tokens, flopsPerExample }) =>
    tokens === undefined || flopsPerExample === undefined
      ? undefined
      : fault(
          'flopsPerExample',
          'flopsPerExample goes with examples, and this workload is given in tokens: keep one of the two.',
        ),
  ({ parameters, activeParameters }) =>
    parameters === undefined || activeParameters === undefined || activeParameters <= parameters
      ? undefined
      : fault(
          'activeParameters',
          `activeParameters (${activeParameters}) is more than parameters (${parameters}): the two were probably swapped.`,
        ),
  ({ flopsPerExample, examples, flops, preset }) =>
    flopsPerExample === undefined || examples !== undefined || flops !== undefined || preset !== undefined
      ? undefined
      : fault('examples', 'flopsPerExample needs examples: how many there are in one epoch.'),
  shapeAgainstParameters,
  presetAgainstParameters,
  batchAgainstData,
  sequenceAgainstTokens,
];

/** 12·L·d² is the weight count of a dense transformer without its embeddings. */
function shapeAgainstParameters({ kind, parameters, layers, hiddenSize, preset }: Workload): Fault | undefined {
  if (
    preset !== undefined ||
    (kind !== undefined && kind !== 'llm') ||
    parameters === undefined ||
    layers === undefined ||
    hiddenSize === undefined
  )
    return undefined;
  const implied = 12 * layers * hiddenSize ** 2;
  if (parameters / implied < 8 && implied / parameters < 8) return undefined;
  return fault(
    'parameters',
    `layers and hiddenSize make about ${implied.toPrecision(2)} parameters, but parameters is ${parameters}: one of the three is probably wrong.`,
  );
}

/** A size stated beside a preset may differ a little, as parameters are counted in several ways; not be another model's. */
function presetAgainstParameters({ preset, parameters }: Workload): Fault | undefined {
  const known = preset === undefined ? undefined : presets.get(preset)?.workload.parameters;
  if (known === undefined || parameters === undefined || near(parameters, known, 3)) return undefined;
  const meant = [...presets].find(([, { workload }]) => near(parameters, workload.parameters ?? 0, 1.05))?.[0];
  const others = meant === undefined ? 'leave preset out' : `${meant} was probably meant`;
  return fault('parameters', `${preset} has ${known} parameters, but parameters is ${parameters}: ${others}.`);
}

function near(one: number, other: number, factor: number): boolean {
  return one / other < factor && other / one < factor;
}

/** A batch somewhat larger than all there is runs, with fewer in it. */
const lastBatchFactor = 2;

function batchAgainstData(workload: Workload): Fault | undefined {
  const { batchSize, sequenceLength, examples } = workload;
  const tokens = tokensOf(workload);
  const sequences = tokens === undefined || sequenceLength === undefined ? undefined : tokens / sequenceLength;
  const samples = examples === undefined ? sequences : examples * (workload.epochs ?? 1);
  if (batchSize === undefined || samples === undefined || batchSize <= lastBatchFactor * samples) return undefined;
  const inTokens = sequenceLength === undefined ? undefined : Math.round(batchSize / sequenceLength);
  const meant =
    inTokens === undefined || inTokens < 1 ? '' : `, so ${inTokens} was probably meant, as so many tokens are`;
  return fault(
    'batchSize',
    `batchSize is ${batchSize}, more than all ${Math.round(samples)} of the run: it is in sequences or examples${meant}.`,
  );
}

function sequenceAgainstTokens({ tokens, sequenceLength }: Workload): Fault | undefined {
  if (tokens === undefined || sequenceLength === undefined || sequenceLength <= tokens) return undefined;
  return fault(
    'sequenceLength',
    `sequenceLength is ${sequenceLength}, more than all ${tokens} tokens: one of the two is probably wrong.`,
  );
}

const namedPresets = 8;

function nearestPresets(wanted: string): string[] {
  const far = (name: string): number => (name.startsWith(wanted) ? 0 : 100) + distance(wanted, name);
  return [...presets.keys()].toSorted((left, right) => far(left) - far(right)).slice(0, namedPresets);
}

/** Contradictions in a workload, all of them, each with what was probably meant. */
export function workFaults(workload: Workload): Fault[] {
  return checks.flatMap((check) => check(workload) ?? []);
}

/** @throws WeirError `invalid` with every contradiction. */
export function requireConsistent(workload: Workload): void {
  const faults = workFaults(workload);
  if (faults.length === 0) return;
  throw new WeirError('invalid', faults.map(({ detail }) => detail).join(' '), { faults });
}
