import type { Fault } from '../core/errors.ts';
import type { Workload } from '../protocol/job-spec.ts';
import { resolveWork } from './work.ts';

type Field = keyof Workload;

/** A check of a workload as it is with its preset's fields beneath, and as it is stated. */
export type Check = (workload: Workload, stated: Workload) => Fault | undefined;

/** `7e9` and `1.5e12` where that is shorter than all the digits. */
export function short(value: number): string {
  return value < 1e6 ? String(value) : Number(value.toPrecision(4)).toExponential().replace('e+', 'e');
}

export const fault = (field: Field, detail: string): Fault => ({ pointer: `/workload/${field}`, detail });

/** Counts that are in the thousands at least where billions are usual, and what a smaller figure was meant in. */
const smallest = { activeParameters: 'e9', tokens: 'e9', flops: 'e18' } as const;
const leastLarge = 1e3;

const tooSmall: Check[] = (Object.keys(smallest) as (keyof typeof smallest)[]).map((field) => (_workload, stated) => {
  const value = stated[field];
  if (value === undefined || value >= leastLarge) return undefined;
  return fault(field, inBillions(field, value, smallest[field]));
});

function inBillions(field: Field, value: number, unit: string): string {
  return `${field} is ${value}: it is a whole count, so ${value}${unit} was probably meant.`;
}

/** Hundreds of times what the largest have that are known: tables of 1e13 weights, corpora of 4e13 tokens, a run of 5e26 FLOP. */
const largest = {
  parameters: 1e16,
  activeParameters: 1e16,
  tokens: 1e17,
  examples: 1e16,
  epochs: 1e7,
  flopsPerExample: 1e26,
  flops: 1e29,
} as const;

const tooLarge: Check[] = (Object.keys(largest) as (keyof typeof largest)[]).map((field) => (_workload, stated) => {
  const value = stated[field];
  if (value === undefined || value <= largest[field]) return undefined;
  return fault(field, `${field} is ${short(value)}, over ${short(largest[field])}: far more than any run has had.`);
});

/** What each field allows may be too much together. */
function tooMuchWork(workload: Workload, stated: Workload): Fault | undefined {
  const { flops } = resolveWork(stated);
  if (flops === null || flops <= largest.flops || tooLarge.some((check) => check(workload, stated))) return undefined;
  const field = stated.tokens !== undefined ? 'tokens' : stated.examples !== undefined ? 'examples' : 'epochs';
  return fault(
    field,
    `The workload makes ${short(flops)} FLOP, over ${short(largest.flops)}: far more than any run has had.`,
  );
}

/** A model of a few features is fitted to examples; what reads tokens has thousands of weights, and billions mean a model of some size. */
function fewParameters({ tokens, sequenceLength }: Workload, { parameters }: Workload): Fault | undefined {
  if (parameters === undefined) return undefined;
  const isLanguage = tokens !== undefined || sequenceLength !== undefined;
  if (parameters < 1 || (isLanguage && parameters < leastLarge))
    return fault('parameters', inBillions('parameters', parameters, 'e9'));
  if (tokens === undefined || parameters >= 1e6 || tokens <= mostTokensPerParameter * parameters) return undefined;
  return fault(
    'parameters',
    `parameters is ${parameters}, for ${short(tokens)} tokens: ${parameters}e6 was probably meant.`,
  );
}

/** Qwen3-0.6B has seen 60,000 for each weight, more than any other known. */
const mostTokensPerParameter = 1e5;

/** No corpus has more tokens than so many billions; and a trial of fewer than so many tokens may be told in examples. */
const mostBillions = 50_000;

/** Fine-tuning of a large model takes a million tokens or a few; thousands are billions that lack their unit. */
function fewTokens({ epochs = 1, ...workload }: Workload, { tokens }: Workload): Fault | undefined {
  const parameters = workload.parameters ?? workload.activeParameters ?? 0;
  if (tokens === undefined || parameters < 1e8 || tokens < leastLarge) return undefined;
  if (tokens * epochs >= Math.min(parameters / 1e4, mostBillions)) return undefined;
  return fault(
    'tokens',
    `tokens is ${tokens}, for ${short(parameters)} parameters: ${tokens}e9 was probably meant. A trial of a few sequences can be told by examples and sequenceLength.`,
  );
}

/** Figures of the wrong size, which another unit would explain. */
export const sizeChecks: readonly Check[] = [...tooSmall, ...tooLarge, tooMuchWork, fewParameters, fewTokens];
