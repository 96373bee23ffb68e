import type { Fault } from '../core/errors.ts';
import { WeirError } from '../core/errors.ts';
import type { Workload } from '../protocol/job-spec.ts';
import { presets } from './presets.ts';

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
      : fault('preset', `There is no preset ${preset}. There are: ${[...presets.keys()].join(', ')}.`),
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
