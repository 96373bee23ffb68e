import { describe, expect, test } from 'vitest';
import type { Workload } from '../../src/protocol/job-spec.ts';
import { workFaults } from '../../src/quotes/work-faults.ts';
import { resolveWork } from '../../src/quotes/work.ts';
import { quoteOf } from './sample.ts';

const llama = { preset: 'llama-2-7b' } as const;

describe('what contradicts the preset beneath is named at the field that is stated', () => {
  test.each<[string, Workload, keyof Workload, string]>([
    [
      'more active parameters',
      { ...llama, activeParameters: 1e11 },
      'activeParameters',
      'llama-2-7b is no mixture of experts',
    ],
    [
      'a mixture’s active parameters',
      { preset: 'mixtral-8x7b', activeParameters: 1e11 },
      'activeParameters',
      'the parameters of mixtral-8x7b (4.67e10)',
    ],
    ['a batch beyond all data', { ...llama, batchSize: 4e12 }, 'batchSize', 'more than all'],
    [
      'a batch in tokens',
      { ...llama, tokens: 2e10, batchSize: 4_194_304_000 },
      'batchSize',
      '1024000 was probably meant',
    ],
    [
      'a sequence beyond all data',
      { ...llama, tokens: 1e6, sequenceLength: 2e6 },
      'sequenceLength',
      'more than all 1e6 tokens',
    ],
    ['another shape', { ...llama, layers: 2, hiddenSize: 64 }, 'layers', 'llama-2-7b has 6.738e9'],
    ['another number of layers', { ...llama, layers: 2 }, 'layers', 'one of the three'],
    ['another kind of model', { ...llama, kind: 'vision' }, 'kind', 'llama-2-7b is of the kind llm'],
    ['FLOP an example', { ...llama, flopsPerExample: 1e9 }, 'flopsPerExample', 'llama-2-7b is given in tokens'],
    ['tokens of a convolutional net', { preset: 'resnet50-imagenet', tokens: 1e12 }, 'tokens', 'trained on examples'],
    ['tokens and FLOP', { ...llama, tokens: 2e12, flops: 1e15 }, 'flops', 'makes'],
  ])('%s', (_name, workload, field, said) => {
    expect(workFaults(workload)).toEqual([{ pointer: `/workload/${field}`, detail: expect.stringContaining(said) }]);
  });
});

describe('figures that were meant in another unit are named with it', () => {
  test.each<[string, Workload, keyof Workload, string]>([
    ['tokens in billions', { parameters: 8e9, tokens: 15_000 }, 'tokens', '15000e9 was probably meant'],
    [
      'tokens beside active parameters',
      { activeParameters: 3e10, tokens: 15_000 },
      'tokens',
      '15000e9 was probably meant',
    ],
    [
      'a batch of more sequences than tokens',
      { parameters: 7e9, tokens: 1e12, batchSize: 4e12 },
      'batchSize',
      'more than all 1e12 of the run',
    ],
    ['parameters in billions', { parameters: 405, tokens: 15e12 }, 'parameters', '405e9 was probably meant'],
    ['parameters in millions', { parameters: 7000, tokens: 1e12 }, 'parameters', '7000e6 was probably meant'],
    ['a part of one parameter', { parameters: 0.35, examples: 1e6 }, 'parameters', '0.35e9 was probably meant'],
    ['FLOP against the rest', { parameters: 7e9, tokens: 1e12, flops: 1e18 }, 'flops', 'makes 4.2e22'],
    ['parameters beyond all', { parameters: 1e30, examples: 10 }, 'parameters', 'far more than any run has had'],
    ['FLOP beyond all', { flops: 1e30 }, 'flops', 'far more than any run has had'],
    ['a product beyond all', { parameters: 1e15, tokens: 1e17 }, 'tokens', 'makes 6e32 FLOP'],
  ])('%s', (_name, workload, field, said) => {
    expect(workFaults(workload)).toContainEqual({
      pointer: `/workload/${field}`,
      detail: expect.stringContaining(said),
    });
  });
});

test.each<[string, Workload]>([
  ['fine-tuning of 70B on 5 million tokens', { parameters: 70e9, tokens: 5e6 }],
  ['adapters for 405B on a million', { parameters: 405e9, tokens: 1e6, trainable: 'lora' }],
  ['a linear model on its examples', { parameters: 650, examples: 569, epochs: 100 }],
  ['a character model', { parameters: 10_000, tokens: 1e6, epochs: 10 }],
  ['a trial of a few sequences', { parameters: 8e9, examples: 10, sequenceLength: 2048 }],
  ['Qwen3-0.6B', { parameters: 6e8, tokens: 36e12 }],
  ['FLOP with recomputation beside what they are of', { parameters: 7e9, tokens: 1e12, flops: 5.6e22 }],
  ['FLOP of a mixture beside all its weights', { kind: 'moe', parameters: 671e9, tokens: 14.8e12, flops: 3.3e24 }],
  [
    'FLOP of a convolutional net beside its weights',
    { parameters: 25.6e6, examples: 1.28e6, epochs: 90, flops: 2.8e18 },
  ],
  ['a part of a preset’s run in FLOP', { ...llama, flops: 1e15 }],
  ['examples of one’s own with a preset in tokens', { ...llama, examples: 52_000, flopsPerExample: 2e13 }],
  ['a long context on a preset', { ...llama, sequenceLength: 131_072, batchSize: 32 }],
  ['the largest run known', { flops: 5e26 }],
])('%s is nothing to refuse', (_name, workload) => {
  expect(workFaults(workload)).toEqual([]);
});

test('FLOP stated beside a preset take the place of its data, and so of its steps', () => {
  const work = resolveWork({ ...llama, flops: 1e15 });
  expect(work).toMatchObject({ basis: 'flops', flops: 1e15, parameters: 6.738e9, steps: null, tokens: null });
  const { options } = quoteOf({ resources: { accelerators: 'H100:8' }, workload: { ...llama, flops: 1e15 } });
  expect(options[0]?.durationSeconds.p50).toBeLessThan(60);
});

test('adapters that make no difference to the time are said', () => {
  const assumed = (workload: Workload) => quoteOf({ workload }).workload.assumptions.join(' ');
  expect(assumed({ flops: 1e15, trainable: 'lora' })).toContain('trainable: lora changes nothing of the time');
  expect(assumed({ parameters: 7e9, flops: 1e20, trainable: 'lora' })).toContain('it lowers the memory needed');
  expect(assumed({ parameters: 7e9, tokens: 1e9, trainable: 'lora' })).not.toContain('changes nothing');
});

test('what may cost more than can be accounted for is not feasible', () => {
  const { options, recommended } = quoteOf({ workload: { flops: 1e27, kind: 'llm' } });
  expect(recommended).toBeNull();
  expect(options[0]?.reasons.join(' ')).toContain(
    'more than $9007199254.00, which can’t be accounted for'.replace('’', "'"),
  );
});

test('faults of workload, accelerators and providers are named together, each once', () => {
  const spec = {
    workload: { parameters: 1e30, tokens: 1e30 },
    resources: { accelerators: 'v5e-20', providers: ['gpc'] },
  };
  const pointers = ['/resources/accelerators', '/resources/providers/0', '/workload/parameters', '/workload/tokens'];
  expect(() => quoteOf(spec)).toThrowError(
    expect.objectContaining({
      code: 'invalid',
      faults: pointers.map((pointer) => ({ pointer, detail: expect.any(String) })),
    }),
  );
});
