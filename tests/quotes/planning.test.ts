import { describe, expect, test } from 'vitest';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import { scalingOf } from '../../src/quotes/scaling.ts';
import { quoteOf, waresWithGpus } from './sample.ts';

describe('where only plans can be priced', () => {
  const spec: JobSpec = {
    name: 'train',
    command: 'true',
    resources: { accelerators: 'H100' },
    workload: { parameters: 7e9, tokens: 1e12, sequenceLength: 4096 },
  };

  test('the first could run, and what can’t hold the model stands behind all that can', () => {
    const { options } = quoteOf(spec);
    const ruledOut = options.map(({ reasons }) => reasons.length > 1);
    expect(ruledOut).toContain(true);
    expect(ruledOut).toEqual(ruledOut.toSorted((left, right) => Number(left) - Number(right)));
    expect(options[0]?.reasons.join(' ')).toMatch(/no provider gcp: the price is for planning, .*$/);
  });

  test('so does spot without checkpoints, and what the policy forbids', () => {
    const market = (more: Partial<JobSpec>) => quoteOf({ ...spec, ...more }).options[0]?.offer.market;
    expect(market({ checkpoints: { path: 'ckpt/' } })).toBe('spot');
    expect(market({})).toBe('on-demand');
    const regions = ['us-central1'];
    expect(quoteOf(spec, { policy: { regions } }).options[0]?.offer.region).toBe('us-central1');
  });

  test('assumptions, what would tell most and the scaling curve are of that first one', () => {
    const workload = { ...spec.workload, parameters: 70e9 };
    const given = { ...spec, workload, resources: { accelerators: 'A100' } };
    const quote = quoteOf(given, { wares: waresWithGpus('A100') });
    const [first] = quote.options;
    expect(quote.recommended).toBeNull();
    expect(first?.offer.provider).toBe('gcp');
    expect(quote.workload.assumptions.join(' ')).not.toContain('needs at least');
    const count = (first?.offer.accelerators.count ?? 0) * (first?.offer.nodes ?? 0);
    const point = scalingOf({ quote, spec: given }).points.find(({ accelerators }) => accelerators.count === count);
    expect(point?.durationSeconds.p50).toBeCloseTo(first?.durationSeconds.p50 ?? NaN, 2);
  });
});
