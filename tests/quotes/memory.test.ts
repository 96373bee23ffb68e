import { describe, expect, test } from 'vitest';
import type { Workload } from '../../src/protocol/job-spec.ts';
import { footprintOf, needsRecomputation, smallestCountThatHolds } from '../../src/quotes/memory.ts';
import { resolveWork } from '../../src/quotes/work.ts';
import { localMachine, quoteOf } from './sample.ts';
import { builtInCatalogue } from '../../src/quotes/price-list.ts';
import { indexWares } from '../../src/quotes/sellers.ts';

const counts = (workload: Workload, ...kinds: string[]): (number | undefined)[] =>
  kinds.map((kind) => smallestCountThatHolds(resolveWork(workload), kind));

describe('the least count that holds a model', () => {
  test.each<[string, Workload, (number | undefined)[]]>([
    // 7e9 weights of 16 bytes are 104 GiB, and an A100 leaves 37 or 74 GiB.
    ['trained in full', { preset: 'llama-2-7b' }, [3, 2, 2, 1]],
    ['with adapters on a frozen base', { preset: 'llama-2-7b', trainable: 'lora' }, [1, 1, 1, 1]],
    ['in fp32, 16 bytes too', { preset: 'llama-2-7b', precision: 'fp32' }, [3, 2, 2, 1]],
    ['too large for a machine of eight', { preset: 'llama-2-70b' }, [29, 15, 15, 8]],
    ['of a mixture, all experts', { preset: 'mixtral-8x7b', sequenceLength: 8192 }, [20, 10, 10, 6]],
    ['small', { preset: 'resnet50-imagenet' }, [1, 1, 1, 1]],
    [
      'of unknown shape, spread with what its activations need',
      { kind: 'other', flops: 1e25, parameters: 4e11 },
      [195, 98, 98, 56],
    ],
    ['of unknown size', { flops: 1e18 }, [undefined, undefined, undefined, undefined]],
  ])('%s', (_name, workload, expected) => {
    expect(counts(workload, 'A100', 'A100-80GB', 'H100', 'H200')).toEqual(expected);
  });

  test('is none where the activations of a part of a sequence are too large', () => {
    const wide = { parameters: 1e13, tokens: 1e12, sequenceLength: 8192, layers: 4000, hiddenSize: 1_000_000 };
    expect(counts(wide, 'H100')).toEqual([Infinity]);
  });

  test.each<[string, Workload, number]>([
    ['405B', { preset: 'llama-3.1-405b', sequenceLength: 262_144 }, 16_384],
    ['70B', { preset: 'llama-3.1-70b', sequenceLength: 1_048_576 }, 1024],
  ])('is no more than was used: long sequences are split over more machines (%s)', (_name, workload, used) => {
    expect(counts(workload, 'H100')[0]).toBeLessThan(used);
  });

  test.each<[string, Workload, string, number]>([
    ['Llama 3.1 405B', { flops: 3.8e25, parameters: 405e9 }, 'H100', 16_384],
    ['GPT-3', { flops: 3.14e23, parameters: 175e9 }, 'V100', 10_000],
  ])('%s by its FLOP alone is held where it was trained', (_name, workload, kind, used) => {
    expect(counts(workload, kind)[0]).toBeLessThan(used);
  });

  test('grows with the sequence', () => {
    const needed = [4096, 131_072, 262_144].map(
      (sequenceLength) => counts({ preset: 'llama-2-70b', sequenceLength }, 'A100')[0] ?? 0,
    );
    expect(needed).toEqual(needed.toSorted((left, right) => left - right));
    expect(needed.at(-1)).toBeGreaterThan(needed[0] ?? 0);
  });
});

test('activations are 34·s·b·h a layer, and 2·s·b·h of it kept where recomputed (arXiv:2205.05198)', () => {
  const { stateBytes, leastActivationBytes, fullActivationBytes } = footprintOf(
    resolveWork({ parameters: 1e9, tokens: 1e9, sequenceLength: 1000, layers: 10, hiddenSize: 100 }),
  ) ?? { stateBytes: 0, leastActivationBytes: 0, fullActivationBytes: 0 };
  expect(stateBytes).toBe(16e9);
  expect(fullActivationBytes).toBe(34 * 1000 * 100 * 10);
  expect(leastActivationBytes).toBe((2 * 10 + 34) * 1000 * 100);
});

test('recomputation is said where only it makes the model fit', () => {
  const work = resolveWork({ preset: 'llama-2-13b', sequenceLength: 8192 });
  expect(needsRecomputation(work, { kind: 'A100-80GB', count: 3 })).toBe(true);
  expect(needsRecomputation(work, { kind: 'A100-80GB', count: 8 })).toBe(false);
});

describe('an offer that can’t hold the model is not feasible', () => {
  test('and its reason has the smallest count that can', () => {
    const { options } = quoteOf({ resources: { accelerators: 'A100:1' }, workload: { preset: 'llama-2-7b' } });
    for (const { feasible, reasons } of options)
      expect([feasible, reasons.join(' ')]).toEqual([false, expect.stringContaining('at least 3 A100')]);
  });

  test('nor is a machine of cores with too little memory', () => {
    const wares = indexWares(
      [{ provider: 'local', sellables: [{ ...localMachine, memoryBytes: 64 * 1024 ** 3 }] }],
      builtInCatalogue,
    );
    const workload = { parameters: 2e9, tokens: 1e9 };
    const reasonsWith = (memoryGiB: number) =>
      quoteOf({ workload, resources: { memoryGiB } }, { wares }).options.find(({ offer }) => offer.provider === 'local')
        ?.reasons;
    expect(reasonsWith(16)?.join(' ')).toContain('needs 33 GiB of memory, and a node gets 16');
    expect(reasonsWith(40)).toEqual([]);
  });

  test('and where nothing listed can, the quote says what would', () => {
    const { workload, recommended } = quoteOf({
      resources: { accelerators: 'T4:4' },
      workload: { preset: 'llama-3.1-405b' },
    });
    expect(recommended).toBeNull();
    expect(workload.assumptions.join(' ')).toMatch(/Nothing listed holds the model: .*\d+ H200/);
  });
});
