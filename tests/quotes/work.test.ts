import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { WeirError } from '../../src/core/errors.ts';
import type { Workload } from '../../src/protocol/job-spec.ts';
import { presets } from '../../src/quotes/presets.ts';
import { priorOf } from '../../src/quotes/prior.ts';
import { requireConsistent, workFaults } from '../../src/quotes/work-faults.ts';
import { resolveWork } from '../../src/quotes/work.ts';

describe('the best description wins', () => {
  const llama: Workload = { parameters: 7e9, tokens: 2e12 };
  test.each<[string, Workload | undefined, string, number | null]>([
    ['explicit flops over everything', { ...llama, flops: 1e20, expectedDuration: '2h' }, 'flops', 1e20],
    ['6·N·D without a shape', llama, 'transformer', 6 * 7e9 * 2e12],
    [
      '6·N·D and 6·L·d·s for causal attention',
      { ...llama, layers: 32, hiddenSize: 4096, sequenceLength: 4096 },
      'transformer',
      (6 * 7e9 + 6 * 32 * 4096 * 4096) * 2e12,
    ],
    [
      'attention both ways in an encoder',
      { parameters: 3.4e8, tokens: 1e9, layers: 24, hiddenSize: 1024, sequenceLength: 512, kind: 'encoder' },
      'transformer',
      (6 * 3.4e8 + 12 * 24 * 1024 * 512) * 1e9,
    ],
    [
      'active parameters of a mixture',
      { parameters: 6e11, activeParameters: 3e10, tokens: 1e12 },
      'transformer',
      6 * 3e10 * 1e12,
    ],
    ['4·N·D of a frozen base', { ...llama, trainable: 'lora' }, 'transformer', 4 * 7e9 * 2e12],
    [
      'sequences as tokens',
      { parameters: 1e9, examples: 1000, epochs: 2, sequenceLength: 100, layers: 10, hiddenSize: 1000 },
      'transformer',
      (6e9 + 6 * 10 * 1000 * 100) * 200_000,
    ],
    ['tokens of one epoch, where epochs are stated', { ...llama, epochs: 2 }, 'transformer', 6 * 7e9 * 4e12],
    [
      'half of an encoder-decoder for each token, which gives T5-11B’s published 4.0e22',
      { kind: 'encoder-decoder', parameters: 1.1e10, tokens: 1.22e12 },
      'transformer',
      3 * 1.1e10 * 1.22e12,
    ],
    [
      'patches of images as tokens that see each other',
      {
        kind: 'vision',
        parameters: 8.6e7,
        layers: 12,
        hiddenSize: 768,
        sequenceLength: 197,
        examples: 1000,
        epochs: 2,
      },
      'transformer',
      (6 * 8.6e7 + 12 * 12 * 768 * 197) * 197 * 2000,
    ],
    [
      'FLOP an example before what its length implies',
      { parameters: 1e9, examples: 1000, sequenceLength: 100, flopsPerExample: 1e9 },
      'examples',
      1e12,
    ],
    ['FLOP an example', { examples: 60_000, epochs: 10, flopsPerExample: 3e5 }, 'examples', 60_000 * 10 * 3e5],
    ['6 FLOP a parameter and example', { examples: 100, epochs: 2, parameters: 5e4 }, 'examples', 6 * 5e4 * 200],
    [
      'examples of language of the usual length',
      { kind: 'llm', parameters: 6.74e9, examples: 52_000, epochs: 3 },
      'transformer',
      6 * 6.74e9 * 156_000 * 512,
    ],
    [
      'the same, with adapters on a frozen base and no kind',
      { parameters: 6.74e9, examples: 52_000, epochs: 3, trainable: 'lora' },
      'transformer',
      4 * 6.74e9 * 156_000 * 512,
    ],
    [
      'examples of one’s own, not as long as what a preset was trained on',
      { preset: 'llama-7b', examples: 52_000, epochs: 3 },
      'preset',
      6 * 6.738e9 * 156_000 * 512,
    ],
    ['active parameters alone', { activeParameters: 3e10, tokens: 1e12 }, 'transformer', 6 * 3e10 * 1e12],
    [
      'the weights that layers and width imply',
      { layers: 96, hiddenSize: 12_288, tokens: 3e11 },
      'transformer',
      6 * 12 * 96 * 12_288 ** 2 * 3e11,
    ],
    ['a preset', { preset: 'resnet50-imagenet' }, 'preset', 2.46e10 * 1_281_167 * 90],
    ['a preset with epochs of one’s own', { preset: 'resnet50-imagenet', epochs: 1 }, 'preset', 2.46e10 * 1_281_167],
    ['what the user expects', { expectedDuration: '2h' }, 'expected-duration', null],
    ['examples alone fall through', { examples: 100, expectedDuration: '2h' }, 'expected-duration', null],
    ['nothing', undefined, 'default', null],
  ])('%s', (_name, workload, basis, flops) => {
    const work = resolveWork(workload);
    expect(work.basis).toBe(basis);
    if (flops === null) expect(work.flops).toBeNull();
    else expect(work.flops).toBeCloseTo(flops, -Math.floor(Math.log10(flops)) + 8);
  });

  test.each<[string, Workload, string]>([
    ['ResNet-50', { kind: 'vision', parameters: 25.6e6, examples: 1_281_167, epochs: 90 }, 'resnet50-imagenet'],
    ['ViT-B/16', { kind: 'vision', parameters: 86e6, examples: 1_281_167, epochs: 300 }, 'vit-b16-imagenet'],
    ['Stable Diffusion', { kind: 'diffusion', parameters: 860e6, examples: 1.913e9 }, 'stable-diffusion-1.4'],
    ['Whisper', { kind: 'speech', parameters: 1.55e9, examples: 268.4e6 }, 'whisper-large'],
    ['DLRM', { kind: 'recommender', parameters: 24e9, examples: 4.195e9 }, 'dlrm-criteo1tb'],
  ])('%s from its size and data alone is within ×3 of its preset, and quoted widely', (_name, workload, preset) => {
    const [guessed, known] = [resolveWork(workload), resolveWork({ preset })];
    expect(Math.abs(Math.log((guessed.flops ?? 0) / (known.flops ?? 0)))).toBeLessThan(Math.log(3));
    expect(priorOf(guessed, 'A100').halfWidth).toBeGreaterThanOrEqual(Math.log(4));
  });

  test.each<[string, Workload, string]>([
    ['of many parameters', { flops: 3.8e25, parameters: 405e9 }, 'llm'],
    ['with a shape', { flops: 1e20, parameters: 1.2e8, layers: 12, hiddenSize: 768 }, 'llm'],
    ['with adapters', { examples: 1000, parameters: 3e8, trainable: 'lora' }, 'llm'],
    ['in tokens', { parameters: 1e7, tokens: 1e9 }, 'llm'],
    ['in sequences', { parameters: 1e7, examples: 1e6, sequenceLength: 256 }, 'llm'],
    ['with active parameters', { activeParameters: 1e9, tokens: 1e9 }, 'moe'],
    ['of few parameters', { flops: 1e18, parameters: 25.6e6 }, 'other'],
    ['by FLOP an example', { parameters: 2.6e9, examples: 1e6, flopsPerExample: 1e13 }, 'other'],
    ['of which no size is known', { flops: 1e20 }, 'other'],
  ])('a model of no stated kind %s', (_name, workload, kind) => {
    expect(resolveWork(workload).kind).toBe(kind);
  });

  test('OPT was trained on 300 billion tokens of a corpus of 180 billion', () => {
    for (const preset of ['opt-1.3b', 'opt-6.7b', 'opt-175b']) expect(resolveWork({ preset }).tokens).toBe(3e11);
  });

  test('a shape that is not stated is assumed, and said', () => {
    const { flops, assumptions } = resolveWork({ parameters: 7e9, tokens: 1e12, sequenceLength: 4096 });
    const stated = resolveWork({ parameters: 7e9, tokens: 1e12, sequenceLength: 4096, layers: 32, hiddenSize: 4096 });
    expect(assumptions.join(' ')).toContain('layers of width');
    expect((flops ?? 0) / (stated.flops ?? 1)).toBeCloseTo(1, 1);
  });

  test('every preset is consistent and makes work', () => {
    expect(presets.size).toBeGreaterThan(100);
    for (const [preset, { source }] of presets) {
      expect(workFaults({ preset })).toEqual([]);
      const work = resolveWork({ preset });
      expect(work).toMatchObject({ basis: 'preset', seconds: null });
      expect(work.assumptions[0]).toContain(source);
    }
  });
});

test.each<[Workload, string]>([
  [{ flops: 8.4e22, tokens: 2e12 }, 'llm'],
  [{ flops: 1e20, sequenceLength: 4096 }, 'llm'],
  [{ flops: 8.4e22 }, 'llm'],
  [{ flops: 1e20 }, 'other'],
  [{ kind: 'vision', flops: 8.4e22 }, 'vision'],
  [{ kind: 'llm', parameters: 671e9, activeParameters: 37e9, tokens: 1e12 }, 'moe'],
  [{ kind: 'llm', parameters: 7e9, activeParameters: 6.5e9, tokens: 1e12 }, 'llm'],
])('%j, whose kind may not be stated, is of the kind %s', (workload, kind) => {
  expect(resolveWork(workload).kind).toBe(kind);
});

describe('contradictions are named, with what was probably meant', () => {
  test.each<[string, Workload, string, string]>([
    ['7 parameters', { parameters: 7, tokens: 1e9 }, '/workload/parameters', '7e9'],
    ['20 tokens', { parameters: 7e9, tokens: 20 }, '/workload/tokens', '20e9'],
    ['tokens with examples', { parameters: 7e9, tokens: 1e9, examples: 100 }, '/workload/examples', 'tokens'],
    ['tokens with FLOP an example', { tokens: 1e9, flopsPerExample: 100 }, '/workload/flopsPerExample', 'examples'],
    ['FLOP an example without examples', { flopsPerExample: 1e5 }, '/workload/examples', 'needs examples'],
    [
      'more active parameters than there are',
      { parameters: 1e9, activeParameters: 2e9 },
      '/workload/activeParameters',
      'swapped',
    ],
    [
      'another model’s size beside a preset',
      { preset: 'llama-2-7b', parameters: 6.9e10 },
      '/workload/parameters',
      'llama-2-70b was probably meant',
    ],
    [
      'a batch in tokens',
      { parameters: 7e9, tokens: 1e9, sequenceLength: 4096, batchSize: 4_194_304 },
      '/workload/batchSize',
      '1024 was probably meant',
    ],
    [
      'a sequence longer than all there is',
      { parameters: 7e9, tokens: 2e3, sequenceLength: 4096 },
      '/workload/sequenceLength',
      'more than all 2000 tokens',
    ],
    ['a misspelt preset', { preset: 'llama2-7b' }, '/workload/preset', 'llama-2-7b'],
    ['an unknown preset', { preset: 'llama' }, '/workload/preset', 'llama-2-7b'],
    [
      'a shape of another size',
      { parameters: 7e9, tokens: 1e9, layers: 2, hiddenSize: 64 },
      '/workload/parameters',
      'layers',
    ],
  ])('%s', (_name, workload, pointer, detail) => {
    const [fault] = workFaults(workload);
    expect(fault?.pointer).toBe(pointer);
    expect(fault?.detail).toContain(detail);
  });

  test('all at once', () => {
    expect(() => requireConsistent({ parameters: 7, tokens: 20, examples: 3 })).toThrow(WeirError);
    expect(workFaults({ parameters: 7, tokens: 20, examples: 3 })).toHaveLength(3);
  });
});

test('work is positive, and either FLOP or seconds are known', () => {
  const positive = fc.double({ min: 1e3, max: 1e15, noNaN: true });
  const workload = fc.record(
    {
      parameters: positive,
      tokens: positive,
      examples: positive,
      epochs: fc.integer({ min: 1, max: 100 }),
      flopsPerExample: positive,
      sequenceLength: fc.integer({ min: 1, max: 1e6 }),
      trainable: fc.constantFrom('full' as const, 'lora' as const),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(workload, (stated) => {
      const { flops, seconds } = resolveWork(stated);
      expect((flops === null) !== (seconds === null)).toBe(true);
      expect(flops ?? seconds).toBeGreaterThan(0);
    }),
  );
});
