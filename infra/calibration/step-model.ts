import type { Step } from './compact.ts';
import { factor, solve } from './linear.ts';

/**
 * Time of an optimiser step of Megatron on A100 from first principles: matrix products at a rate that falls as they get small,
 * elementwise work at the memory's, all-reduces of tensor parallelism, launches by the CPU (the slower of the two leads:
 * a smooth maximum), the pipeline's bubble, the gradients' all-reduce over a machine's one door, and the optimiser.
 * Each constant is positive and starts from what datasheets and profiles lead to expect.
 */
const expected = {
  /** Of the peak, that a large matrix product needs: time ÷ ideal. */
  product: 1.6,
  /** What a small one loses, in 1e5 ÷ (tokens · width a GPU). */
  smallProduct: 30,
  /** Elementwise work and attention's scores, in ps a value. */
  elementwise: 100,
  scores: 40,
  /** Launches a layer and a micro-batch, in ms; how much more with each doubling of tensor parallelism. */
  launchLayer: 3.5,
  launchBatch: 1.3,
  launchTensor: 0.2,
  /** Tensor parallelism: latency in 10 µs a layer, ps a value. */
  tensorLatency: 14,
  tensorValue: 30,
  /** Pipeline: latency in 0.1 ms a stage, ps a value. */
  stageLatency: 1,
  stageValue: 6,
  /** Gradients, in ps a parameter: inside a machine, and out of it. */
  gradientInside: 8,
  gradientOutside: 20,
  optimiser: 10,
  stepMs: 5,
  /** Sharpness of the maximum of GPU and CPU time. */
  sharpness: 3,
  /** Matrix product and memory of the vocabulary. */
  logits: 1,
  vocabulary: 30,
};

type Constants = typeof expected;
const names = Object.keys(expected) as (keyof Constants)[];

/** Logarithms of the constants, in the order of their names. */
export type StepFit = readonly number[];

const start: StepFit = names.map((name) => Math.log(expected[name]));

const peakFlops = 312e12;
const vocabulary = 51_200;
const headWidth = 64;
const gpusOfMachine = 8;
/** Tensor parallelism beyond a machine goes over its network. */
const slowdownAcross = 6;
/** Of elementwise work, what every GPU of a tensor-parallel group does again. */
const repeated = 0.3;

const picosecond = 1e-12;

export function stepSeconds(fit: StepFit, step: Step): number {
  const c = Object.fromEntries(names.map((name, at) => [name, Math.exp(fit[at] ?? 0)])) as Constants;
  const { hiddenSize: width, layers, sequenceLength, microBatch, tensor, data, pipeline, batch } = step;
  const tokens = microBatch * sequenceLength;
  const microBatches = batch / (microBatch * data);
  const stageLayers = layers / pipeline;

  const layer = layerSeconds(c, step, tokens);
  const logits =
    ((6 * width * vocabulary * tokens) / tensor / peakFlops) * c.logits +
    ((tokens * vocabulary) / tensor) * c.vocabulary * picosecond;
  const launch = (stageLayers * c.launchLayer * (1 + c.launchTensor * Math.log2(tensor)) + c.launchBatch) / 1000;
  const middle = smoothMax(stageLayers * layer, launch, 1 + c.sharpness);
  const last = smoothMax(stageLayers * layer + logits, launch, 1 + c.sharpness);
  const passing = pipeline > 1 ? c.stageLatency * 1e-4 + tokens * width * c.stageValue * picosecond : 0;

  const parameters = ((12 * width ** 2 * layers) / pipeline + vocabulary * width) / tensor;
  return (
    microBatches * (last + passing) +
    (pipeline - 1) * (middle + passing) +
    gradientSeconds(c, parameters, tensor, data) +
    parameters * c.optimiser * picosecond +
    c.stepMs / 1000
  );
}

/** Forward and backward pass of one layer and micro-batch, on the GPU. */
function layerSeconds(c: Constants, { hiddenSize: width, sequenceLength, microBatch, tensor }: Step, tokens: number) {
  const ideal = (72 * width ** 2 * tokens + 12 * width * sequenceLength * tokens) / tensor / peakFlops;
  const product = ideal * c.product * (1 + (c.smallProduct * 1e5) / ((tokens * width) / tensor));
  const elementwise = tokens * width * c.elementwise * picosecond * ((1 - repeated) / tensor + repeated);
  const scores = ((microBatch * sequenceLength ** 2 * width) / headWidth / tensor) * c.scores * picosecond;
  const slower = tensor > gpusOfMachine ? slowdownAcross : 1;
  const reduced =
    tensor === 1
      ? 0
      : c.tensorLatency * 1e-5 + ((c.tensorValue * picosecond * tokens * width * (tensor - 1)) / tensor) * slower;
  return product + elementwise + scores + reduced;
}

/** All rings of a machine share its door, so outside it is the machine's parameters that count and not the GPU's. */
function gradientSeconds(c: Constants, parameters: number, tensor: number, data: number): number {
  if (data === 1) return 0;
  if (tensor * data > gpusOfMachine) return parameters * tensor * c.gradientOutside * picosecond;
  return (parameters * c.gradientInside * picosecond * 2 * (data - 1)) / data;
}

function smoothMax(left: number, right: number, sharpness: number): number {
  const larger = Math.max(left, right);
  return larger * ((left / larger) ** sharpness + (right / larger) ** sharpness) ** (1 / sharpness);
}

/** How strongly the constants are held to what is expected, a row's error of 1 being worth 1. */
const belief = 0.1;
const huberAt = 0.1;
const rounds = 25;
const nudge = 1e-4;

export type WeightedStep = { step: Step; weight: number };

/** Least squares of the logarithm, with Huber's loss by reweighting; Levenberg-Marquardt. */
export function fitSteps(steps: readonly WeightedStep[]): StepFit {
  let fit = start;
  let damping = 0.01;
  let loss = lossOf(fit, steps);
  for (let round = 0; round < rounds; round++) {
    const candidate = improve(fit, steps, damping);
    const candidateLoss = lossOf(candidate, steps);
    if (candidateLoss < loss) {
      fit = candidate;
      loss = candidateLoss;
      damping /= 3;
    } else damping *= 5;
  }
  return fit;
}

function errorOf(fit: StepFit, step: Step): number {
  return Math.log(stepSeconds(fit, step) / step.seconds);
}

function lossOf(fit: StepFit, steps: readonly WeightedStep[]): number {
  const held = fit.reduce((sum, value, at) => sum + (belief * (value - (start[at] ?? 0))) ** 2, 0);
  return steps.reduce((sum, { step, weight }) => sum + weight * softLoss(errorOf(fit, step)), held);
}

/** 2·k²·(√(1 + (x/k)²) - 1): squared near zero, absolute far off. */
function softLoss(error: number): number {
  return 2 * huberAt ** 2 * (Math.sqrt(1 + (error / huberAt) ** 2) - 1);
}

function improve(fit: StepFit, steps: readonly WeightedStep[], damping: number): StepFit {
  const n = fit.length;
  const matrix = new Float64Array(n * n);
  const right = new Float64Array(n);
  const nudged = fit.map((value, at) => fit.with(at, value + nudge));
  for (const { step, weight } of steps) {
    const error = errorOf(fit, step);
    const slopes = nudged.map((each) => (errorOf(each, step) - error) / nudge);
    const robust = weight / Math.sqrt(1 + (error / huberAt) ** 2);
    for (let left = 0; left < n; left++) {
      const scaled = robust * (slopes[left] ?? 0);
      right[left] = (right[left] ?? 0) - scaled * error;
      for (let other = 0; other < n; other++)
        matrix[left * n + other] = (matrix[left * n + other] ?? 0) + scaled * (slopes[other] ?? 0);
    }
  }
  for (let at = 0; at < n; at++) {
    right[at] = (right[at] ?? 0) - belief ** 2 * ((fit[at] ?? 0) - (start[at] ?? 0));
    matrix[at * n + at] = ((matrix[at * n + at] ?? 0) + belief ** 2) * (1 + damping);
  }
  const change = solve(factor(matrix, n), right);
  return fit.map((value, at) => value + Math.max(-1, Math.min(1, change[at] ?? 0)));
}
