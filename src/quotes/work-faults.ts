import { distance } from 'fastest-levenshtein';
import type { Fault } from '../core/errors.ts';
import { WeirError } from '../core/errors.ts';
import type { Workload } from '../protocol/job-spec.ts';
import { presets } from './presets.ts';
import { fault, short, sizeChecks, type Check } from './size-faults.ts';
import { tokensOf } from './transformer.ts';
import { describe, resolveWork } from './work.ts';

const checks: readonly Check[] = [
  (_workload, { preset }) =>
    preset === undefined || presets.has(preset)
      ? undefined
      : fault('preset', `There is no preset ${preset}. Near it are: ${nearestPresets(preset).join(', ')}.`),
  kindAgainstPreset,
  ({ tokens, examples }) =>
    tokens === undefined || examples === undefined
      ? undefined
      : fault(
          'examples',
          'tokens and examples both say how much data there is: keep tokens for a language model, examples with epochs for anything else.',
        ),
  ({ tokens }, { flopsPerExample, preset, ...stated }) =>
    tokens === undefined || flopsPerExample === undefined
      ? undefined
      : fault(
          'flopsPerExample',
          `flopsPerExample goes with examples, and ${stated.tokens === undefined ? preset : 'this workload'} is given in tokens: keep one of the two.`,
        ),
  tokensOfConvolutions,
  activeAgainstParameters,
  ({ examples, tokens, flops }, { flopsPerExample }) =>
    flopsPerExample === undefined || examples !== undefined || tokens !== undefined || flops !== undefined
      ? undefined
      : fault('examples', 'flopsPerExample needs examples: how many there are in one epoch.'),
  shapeAgainstParameters,
  presetAgainstParameters,
  batchAgainstData,
  sequenceAgainstTokens,
  flopsAgainstRest,
];

function kindAgainstPreset(_workload: Workload, { preset, kind }: Workload): Fault | undefined {
  const known = presetOf(preset)?.kind;
  if (known === undefined || kind === undefined || kind === known) return undefined;
  return fault('kind', `${preset} is of the kind ${known}, but kind is ${kind}: leave one of the two out.`);
}

/** Whose weights are used at many places of an example, which is no sequence: tokens say nothing of their work. */
function tokensOfConvolutions(_workload: Workload, { preset, tokens }: Workload): Fault | undefined {
  const known = presetOf(preset);
  if (tokens === undefined || known?.flopsPerExample === undefined || known.sequenceLength !== undefined)
    return undefined;
  return fault('tokens', `${preset} is trained on examples, not on tokens: state examples and epochs in their place.`);
}

function activeAgainstParameters({ parameters, kind }: Workload, stated: Workload): Fault | undefined {
  const { preset, activeParameters } = stated;
  if (activeParameters === undefined || parameters === undefined) return undefined;
  const isOfPreset = stated.parameters === undefined && preset !== undefined;
  if (isOfPreset && kind !== 'moe')
    return fault('activeParameters', `${preset} is no mixture of experts: leave activeParameters out.`);
  if (activeParameters <= parameters) return undefined;
  const whose = isOfPreset ? `the parameters of ${preset}` : 'parameters';
  const guess = isOfPreset ? '' : ': the two were probably swapped';
  return fault(
    'activeParameters',
    `activeParameters (${short(activeParameters)}) is more than ${whose} (${short(parameters)})${guess}.`,
  );
}

function presetOf(name: string | undefined): Workload | undefined {
  return name === undefined ? undefined : presets.get(name)?.workload;
}

/** 12·L·d² is the weight count of a dense transformer without its embeddings. */
function shapeAgainstParameters(
  { kind, parameters, layers, hiddenSize }: Workload,
  stated: Workload,
): Fault | undefined {
  // Another size beside a preset is for presetAgainstParameters to tell.
  const told = stated.preset === undefined ? stated : { ...stated, parameters: undefined };
  const field = (['parameters', 'layers', 'hiddenSize'] as const).find((each) => told[each] !== undefined);
  if (
    field === undefined ||
    (kind !== undefined && kind !== 'llm') ||
    parameters === undefined ||
    layers === undefined ||
    hiddenSize === undefined
  )
    return undefined;
  const implied = 12 * layers * hiddenSize ** 2;
  if (near(parameters, implied, 8)) return undefined;
  return fault(
    field,
    `${layers} layers and a hiddenSize of ${hiddenSize} make about ${short(implied)} parameters, but ${stated.parameters === undefined ? `${stated.preset} has` : 'parameters is'} ${short(parameters)}: one of the three is probably wrong.`,
  );
}

/** A size stated beside a preset may differ a little, as parameters are counted in several ways; not be another model's. */
function presetAgainstParameters(_workload: Workload, { preset, parameters }: Workload): Fault | undefined {
  const known = presetOf(preset)?.parameters;
  if (known === undefined || parameters === undefined || near(parameters, known, 3)) return undefined;
  const meant = [...presets].find(([, { workload }]) => near(parameters, workload.parameters ?? 0, 1.05))?.[0];
  const others = meant === undefined ? 'leave preset out' : `${meant} was probably meant`;
  return fault(
    'parameters',
    `${preset} has ${short(known)} parameters, but parameters is ${short(parameters)}: ${others}.`,
  );
}

function near(one: number, other: number, factor: number): boolean {
  return one / other < factor && other / one < factor;
}

/** A batch somewhat larger than all there is runs, with fewer in it. */
const lastBatchFactor = 2;

function batchAgainstData(workload: Workload, { batchSize }: Workload): Fault | undefined {
  const { sequenceLength, examples } = workload;
  const tokens = tokensOf(workload);
  const sequences = tokens === undefined ? undefined : tokens / (sequenceLength ?? 1);
  const samples = examples === undefined ? sequences : examples * (workload.epochs ?? 1);
  if (batchSize === undefined || samples === undefined || batchSize <= lastBatchFactor * samples) return undefined;
  const inTokens = sequenceLength === undefined ? undefined : Math.round(batchSize / sequenceLength);
  const isLikely = inTokens !== undefined && inTokens >= 1 && inTokens <= samples;
  const meant = isLikely ? `, so ${inTokens} was probably meant, as so many tokens are` : '';
  return fault(
    'batchSize',
    `batchSize is ${short(batchSize)}, more than all ${short(Math.round(samples))} of the run: it is in sequences or examples${meant}.`,
  );
}

function sequenceAgainstTokens({ tokens }: Workload, { sequenceLength }: Workload): Fault | undefined {
  if (tokens === undefined || sequenceLength === undefined || sequenceLength <= tokens) return undefined;
  return fault(
    'sequenceLength',
    `sequenceLength is ${sequenceLength}, more than all ${short(tokens)} tokens: one of the two is probably wrong.`,
  );
}

/** Recomputation, padding, adapters and half-used halves of a model make a few times more or less, not ten. */
const countingFactor = 10;

/** FLOP stated beside as much as they can be worked out from. */
function flopsAgainstRest(workload: Workload, { flops, ...rest }: Workload): Fault | undefined {
  const isMixture = workload.kind === 'moe' && workload.activeParameters === undefined;
  const hasLength = rest.tokens !== undefined || (rest.flopsPerExample ?? rest.sequenceLength) !== undefined;
  if (flops === undefined || isMixture || !hasLength || (rest.tokens ?? rest.examples) === undefined) return undefined;
  const implied = resolveWork(rest).flops;
  if (implied === null || near(flops, implied, countingFactor)) return undefined;
  return fault(
    'flops',
    `flops is ${short(flops)}, but the rest of the workload makes ${short(implied)}: one of the two is probably wrong.`,
  );
}

const namedPresets = 8;

function nearestPresets(wanted: string): string[] {
  const far = (name: string): number => (name.startsWith(wanted) ? 0 : 100) + distance(wanted, name);
  return [...presets.keys()].toSorted((left, right) => far(left) - far(right)).slice(0, namedPresets);
}

/** Contradictions in a workload, all of them, each with what was probably meant; also with what its preset brings. */
export function workFaults(stated: Workload): Fault[] {
  const workload = describe(stated, stated.preset === undefined ? undefined : presets.get(stated.preset));
  return [...checks, ...sizeChecks].flatMap((check) => check(workload, stated) ?? []);
}

/** @throws WeirError `invalid` with every contradiction. */
export function requireConsistent(workload: Workload): void {
  const faults = workFaults(workload);
  if (faults.length === 0) return;
  throw new WeirError('invalid', faults.map(({ detail }) => detail).join(' '), { faults });
}
