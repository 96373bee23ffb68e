import { describe, expect, test } from 'vitest';
import {
  bestInterval,
  checkpointingSeconds,
  hardlyFinishes,
  interruptedSeconds,
  type Interruptions,
} from '../../src/quotes/spot.ts';

const hour = 3600;
const usual: Interruptions = {
  meanUpSeconds: 6 * hour,
  restartSeconds: 160,
  everySeconds: 1800,
  checkpointSeconds: 60,
};

function uniformOf(start: number): () => number {
  let seed = start;
  return () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** Preemptions at random moments: what was done since the last checkpoint is lost, and each costs a restart. */
function simulate(useful: number, interruptions: Interruptions, uniform: () => number): number {
  const { meanUpSeconds, restartSeconds, everySeconds, checkpointSeconds } = interruptions;
  const piece = everySeconds ?? useful;
  let [total, saved, untilPreempted] = [0, 0, 0];
  const next = (): number => -meanUpSeconds * Math.log(uniform());
  untilPreempted = next();
  while (saved < useful) {
    const work = Math.min(piece, useful - saved);
    const needed = work + (everySeconds === null || saved + work >= useful ? 0 : checkpointSeconds);
    if (untilPreempted >= needed) {
      untilPreempted -= needed;
      total += needed;
      saved += work;
      continue;
    }
    total += untilPreempted + restartSeconds;
    untilPreempted = next();
  }
  return total;
}

describe('the closed form is what a simulated preemption process gives', () => {
  test.each<[string, number, Partial<Interruptions>]>([
    ['a day with a checkpoint every half hour', 24 * hour, {}],
    ['a day with one every five minutes', 24 * hour, { everySeconds: 300 }],
    ['a gang of sixteen, preempted every 22 minutes', 24 * hour, { meanUpSeconds: 1350, everySeconds: 400 }],
    ['three hours begun anew after each preemption', 3 * hour, { everySeconds: null }],
    ['ten hours begun anew after each', 10 * hour, { everySeconds: null }],
    ['a restart that takes half an hour', 24 * hour, { restartSeconds: 1800 }],
  ])('%s', (_name, useful, changed) => {
    const interruptions = { ...usual, ...changed };
    const uniform = uniformOf(7);
    const trials = 3000;
    let total = 0;
    for (let trial = 0; trial < trials; trial++) total += simulate(useful, interruptions, uniform);
    expect(total / trials / interruptedSeconds(useful, interruptions)).toBeCloseTo(1, 1);
  });
});

test('to first order it is T·(1 + C/τ)·(1 + (τ/2 + R)/M)', () => {
  for (const everySeconds of [600, 1200, 2400]) {
    const { meanUpSeconds: M, restartSeconds: R, checkpointSeconds: C } = usual;
    const first = 86_400 * (1 + C / everySeconds) * (1 + (everySeconds / 2 + R) / M);
    expect(interruptedSeconds(86_400, { ...usual, everySeconds }) / first).toBeCloseTo(1, 2);
  }
});

test('Young’s interval loses least', () => {
  const best = bestInterval(60, 'spot', usual.meanUpSeconds);
  const at = (everySeconds: number): number => interruptedSeconds(1e6, { ...usual, everySeconds });
  expect(best).toBeCloseTo(Math.sqrt(2 * 60 * 6 * hour), 3);
  for (const factor of [0.5, 0.7, 1.5, 2]) expect(at(best * factor)).toBeGreaterThan(at(best));
});

test('on demand only writing checkpoints takes time', () => {
  const onDemand = { ...usual, meanUpSeconds: Infinity };
  expect(interruptedSeconds(86_400, onDemand)).toBe(86_400 + 48 * 60);
  expect(checkpointingSeconds(1000, onDemand)).toBe(0);
  expect(interruptedSeconds(86_400, { ...onDemand, everySeconds: null })).toBe(86_400);
});

test('without checkpoints long work hardly ever finishes on spot', () => {
  expect(hardlyFinishes(86_400, { ...usual, everySeconds: null })).toBe(true);
  expect(hardlyFinishes(86_400, usual)).toBe(false);
  expect(hardlyFinishes(600, { ...usual, everySeconds: null })).toBe(false);
});
