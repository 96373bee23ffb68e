import { expect, test } from 'vitest';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import { quoteOf, waresWithGpus } from './sample.ts';

test.each<[string, Partial<JobSpec>, string]>([
  ['where nothing is known, the work', {}, 'flops'],
  ['where only a duration is believed, the work', { workload: { expectedDuration: '2h' } }, 'flops'],
  [
    'of examples with parameters, their FLOP',
    { workload: { examples: 1e6, parameters: 5e8, epochs: 2 } },
    'flopsPerExample',
  ],
  [
    'of images with parameters, their FLOP',
    { workload: { kind: 'vision', examples: 1e6, parameters: 1e7, epochs: 2, precision: 'bf16' } },
    'flopsPerExample',
  ],
  [
    'of a mixture, what is active',
    { workload: { kind: 'moe', parameters: 1e11, tokens: 1e12, precision: 'bf16' } },
    'activeParameters',
  ],
  ['of a small language model, its precision', { workload: { parameters: 1e8, tokens: 1e10 } }, 'precision'],
  [
    'of a large one, which nobody trains in fp32, its sequence',
    { workload: { parameters: 7e9, tokens: 1e12 } },
    'sequenceLength',
  ],
])('the field that would narrow the range most is found by trying: %s', (_name, spec, field) => {
  const quote = quoteOf({ resources: { accelerators: 'A100-80GB:4' }, ...spec }, { wares: waresWithGpus('A100-80GB') });
  expect(quote.workload.mostTelling?.field).toBe(field);
  expect(quote.workload.mostTelling?.factor).toBeGreaterThan(1.05);
  expect(quote.workload.assumptions.join(' ')).toContain(`Stating workload.${field} would narrow the range most`);
});

test.each<[string, NonNullable<JobSpec['workload']>]>([
  ['by its weights', { parameters: 7e9, tokens: 1e12, sequenceLength: 2048 }],
  ['by its FLOP', { kind: 'llm', flops: 1e22 }],
  ['by its FLOP alone', { flops: 1e22 }],
])('the precisions of a large language model are those of half width and less: %s', (_name, workload) => {
  const { mostTelling } = quoteOf({ resources: { accelerators: 'H100:8' }, workload }).workload;
  expect(mostTelling).toEqual({ field: 'precision', factor: expect.any(Number) });
  expect(mostTelling?.factor).toBeLessThan(2);
});
