import type { Step, Tables } from './compact.ts';
import { scoreOf, type Outcome, type Score } from './score.ts';
import { fitSteps, stepSeconds, type WeightedStep } from './step-model.ts';

/** What one node's rows weigh in a fit for many nodes: they know the GPU, and nothing of the network. */
const weightOfSingle = 0.02;

export type StepReport = Record<'singleNode' | 'multiNode', Record<string, Score>>;

/** Leave one model (width and depth) out: a model is predicted by fits to the others. */
export function evaluateSteps({ steps }: Tables): StepReport {
  const single = steps.filter(({ isMultiNode }) => !isMultiNode);
  const multi = steps.filter(({ isMultiNode }) => isMultiNode);
  return { singleNode: report(single, []), multiNode: report(multi, single) };
}

function report(own: readonly Step[], helping: readonly Step[]): Record<string, Score> {
  const outcomes = new Map<string, Outcome[]>();
  for (const [model, tested] of Map.groupBy(own, modelOf)) {
    const training: WeightedStep[] = [
      ...own.filter((step) => modelOf(step) !== model).map((step) => ({ step, weight: 1 })),
      ...helping.filter((step) => modelOf(step) !== model).map((step) => ({ step, weight: weightOfSingle })),
    ];
    const known = training.filter(({ weight }) => weight === 1).map(({ step }) => step);
    const fit = fitSteps(training);
    const share = middle(known.map((step) => idealSeconds(step) / step.seconds));
    const linear = middle(known.map((step) => step.seconds / parametersOf(step)));
    for (const step of tested) {
      add(outcomes, 'weir', step, stepSeconds(fit, step));
      add(outcomes, 'constant MFU .40', step, idealSeconds(step) / 0.4);
      add(outcomes, 'one fitted MFU', step, idealSeconds(step) / share);
      add(outcomes, 'linear law C = k·S', step, linear * parametersOf(step));
      add(outcomes, 'one hour', step, 3600);
    }
  }
  return Object.fromEntries([...outcomes].map(([name, rows]) => [name, scoreOf(rows)]));
}

function add(outcomes: Map<string, Outcome[]>, name: string, step: Step, predicted: number): void {
  const rows = outcomes.get(name) ?? [];
  outcomes.set(name, rows);
  rows.push({ name: modelOf(step), predicted, actual: step.seconds });
}

const modelOf = ({ hiddenSize, layers }: Step): string => `${hiddenSize} wide, ${layers} deep`;

const parametersOf = ({ hiddenSize, layers }: Step): number => 12 * layers * hiddenSize ** 2 + 51_200 * hiddenSize;

function idealSeconds(step: Step): number {
  const { batch, sequenceLength, tensor, data, pipeline, layers, hiddenSize } = step;
  const perToken = 6 * parametersOf(step) + 6 * layers * hiddenSize * sequenceLength;
  return (perToken * batch * sequenceLength) / (tensor * data * pipeline * 312e12);
}

function middle(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? NaN;
}
