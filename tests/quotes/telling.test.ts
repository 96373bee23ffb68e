import { expect, test } from 'vitest';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import { quoteOf, waresWithGpus } from './sample.ts';

test.each<[string, Partial<JobSpec>, string]>([
  ['where nothing is known, the work', {}, 'flops'],
  ['where only a duration is believed, the work', { workload: { expectedDuration: '2h' } }, 'flops'],
  ['of examples with parameters, their kind', { workload: { examples: 1e6, parameters: 1e7, epochs: 2 } }, 'kind'],
  [
    'of images with parameters, their FLOP',
    { workload: { kind: 'vision', examples: 1e6, parameters: 1e7, epochs: 2 } },
    'flopsPerExample',
  ],
  [
    'of a mixture, what is active',
    { workload: { kind: 'moe', parameters: 1e11, tokens: 1e12, precision: 'bf16' } },
    'activeParameters',
  ],
  [
    'of a language model, its precision',
    { workload: { parameters: 7e9, tokens: 1e12, sequenceLength: 2048 } },
    'precision',
  ],
])('the field that would narrow the range most is found by trying: %s', (_name, spec, field) => {
  const quote = quoteOf({ resources: { accelerators: 'A100-80GB:4' }, ...spec }, { wares: waresWithGpus('A100-80GB') });
  expect(quote.workload.mostTelling?.field).toBe(field);
  expect(quote.workload.mostTelling?.factor).toBeGreaterThan(1.05);
  expect(quote.workload.assumptions.join(' ')).toContain(`Stating workload.${field} would narrow the range most`);
});
