import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { Quote } from '../../src/protocol/quote.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import { builtInCatalogue } from '../../src/quotes/price-list.ts';
import { calibrate } from '../../src/quotes/interval.ts';
import { noHistory, quoteOf, waresWithGpus } from './sample.ts';

const digits = { kind: 'other', examples: 60_000, epochs: 10, flopsPerExample: 3.05e5 } as const;
const feasibleOf = (quote: ReturnType<typeof quoteOf>) => quote.options.filter(({ feasible }) => feasible);

describe('a CPU job', () => {
  test('no accelerators are said by none as by leaving them out', () => {
    const offers = (resources: NonNullable<JobSpec['resources']>) =>
      quoteOf({ resources }).options.map(({ offer }) => offer.id);
    expect(offers({ cpus: 2, accelerators: 'none' })).toEqual(offers({ cpus: 2 }));
  });

  test('is quoted on the local machine first, at a part of its price', () => {
    const quote = quoteOf({ workload: digits, resources: { cpus: 2 } });
    const [best] = quote.options;
    expect(best).toMatchObject({
      feasible: true,
      offer: { provider: 'local', accelerators: { kind: 'cpu', count: 2 }, hourlyUsd: 0.04, nodes: 1 },
    });
    expect(quote.recommended).toBe(best?.id);
    expect(quote.workload).toMatchObject({ basis: 'examples', flops: 1.83e11 });
    expect(quote.options.length).toBeLessThanOrEqual(5);
    expect(quote.shareImpact.after).toBeGreaterThan(0);
    expect(Value.Errors(Quote, quote)).toEqual([]);
  });

  test('of an array costs as much as its tasks together, says so, and takes as long as one', () => {
    const spec: Partial<JobSpec> = { workload: digits, resources: { cpus: 2 } };
    const one = quoteOf(spec);
    const many = quoteOf({ ...spec, array: { count: 250 } });
    for (const [index, { costUsd, breakdown, durationSeconds }] of many.options.entries()) {
      const each = one.options[index];
      expect(costUsd.p90).toBeCloseTo(250 * (each?.costUsd.p90 ?? 0), 6);
      expect(breakdown.computeUsd).toBeCloseTo(250 * (each?.breakdown.computeUsd ?? 0), 6);
      expect(durationSeconds).toEqual(each?.durationSeconds);
    }
    expect(many.workload.assumptions).toContainEqual(expect.stringMatching(/^The array has 250 tasks: .* 250 × \$/));
    expect(many.shareImpact.after).toBeCloseTo(250 * one.shareImpact.after, 9);
  });

  test('sees what a cloud would ask, and why it can’t be bought here', () => {
    const planned = quoteOf({ workload: digits }).options.filter(({ offer }) => offer.provider === 'gcp');
    expect(planned.length).toBeGreaterThan(0);
    for (const { feasible, reasons } of planned)
      expect([feasible, reasons.join(' ')]).toEqual([false, expect.stringContaining('no provider gcp')]);
  });

  test('larger than the machine is not feasible, and the reason has both figures', () => {
    const quote = quoteOf({ resources: { cpus: 64, memoryGiB: 1000 } });
    const local = quote.options.find(({ offer }) => offer.provider === 'local');
    expect(quote.recommended).toBeNull();
    expect(local?.reasons.join(' ')).toContain('64 cores, and local has 8');
    expect(local?.reasons.join(' ')).toContain('1000 GiB of memory, and local has 16');
  });

  test('of several nodes shares the one machine', () => {
    expect(feasibleOf(quoteOf({ resources: { cpus: 4, nodes: 2 } }))[0]?.offer).toMatchObject({
      hourlyUsd: 0.16,
      nodes: 2,
    });
    expect(feasibleOf(quoteOf({ resources: { cpus: 4, nodes: 3 } }))).toEqual([]);
  });

  test('of which nothing is known says so and has a wide range', () => {
    const quote = quoteOf({});
    const duration = quote.options[0]?.durationSeconds;
    expect(quote.workload).toMatchObject({ basis: 'default', flops: null });
    expect(quote.workload.assumptions.join(' ')).toContain('would narrow the range most');
    expect((duration?.p90 ?? 0) / (duration?.p10 ?? 1)).toBeCloseTo(400, 0);
  });

  test('rests on earlier runs of its name where nothing else is said', () => {
    const sameName = calibrate(
      [1, 2, 3, 4, 5].map(() => ({ logRatio: Math.log(42 / 600), errorPercent: 5, isCovered: true })),
    );
    const quote = quoteOf({}, { history: () => ({ sameName, tenant: undefined, all: undefined }) });
    expect(quote.workload.basis).toBe('history');
    expect(quote.calibration).toEqual({ runs: 5, medianErrorPercent: 5, coveragePercent: 100 });
    expect(Math.abs((quote.options[0]?.durationSeconds.p50 ?? 0) / 42 - 1)).toBeLessThan(0.06);
  });

  test('takes and costs no more than maxDuration allows', () => {
    expect(quoteOf({ maxDuration: '5m' }).options[0]?.durationSeconds).toEqual({ p10: 30, p50: 300, p90: 300 });
  });
});

describe('what restricts the choice', () => {
  const a100: JobSpec['resources'] = { accelerators: 'A100' };
  test.each<[string, Partial<JobSpec>, Parameters<typeof quoteOf>[1], string]>([
    ['the spec’s providers', { resources: { providers: ['gcp'] } }, {}, 'leave out local'],
    ['the spec’s regions', { resources: { regions: ['us-central1'] } }, {}, 'leave out local'],
    ['the spec’s market', { resources: { market: 'spot' } }, {}, 'wants spot'],
    ['the policy’s providers', {}, { policy: { providers: ['gcp'] } }, 'policy does not allow the provider local'],
    ['the policy’s regions', {}, { policy: { regions: ['us-east1'] } }, 'policy does not allow the region local'],
    [
      'the model’s size',
      { resources: a100, workload: { parameters: 70e9, tokens: 1e9 } },
      { wares: waresWithGpus('A100') },
      'does not fit: with its gradients, optimiser state and activations it needs at least 29 A100',
    ],
  ])('%s', (_name, spec, input, reason) => {
    const quote = quoteOf(spec, input);
    expect(quote.recommended).toBeNull();
    expect(quote.options.find(({ offer }) => offer.provider === 'local')?.reasons.join(' ')).toContain(reason);
  });
});

describe('accelerators', () => {
  const llama: JobSpec['workload'] = { preset: 'llama-2-7b', precision: 'bf16' };

  test('a stated count is exact, on every machine, market and region that has it', () => {
    const { options } = quoteOf({ resources: { accelerators: 'A100-80GB:8' }, workload: llama });
    expect(options.length).toBe(builtInCatalogue.offers('A100-80GB').filter(({ count }) => count === 8).length);
    for (const { offer } of options)
      expect(offer).toMatchObject({ accelerators: { kind: 'A100-80GB', count: 8 }, nodes: 1 });
    const published = 184_320 / 8;
    const [first] = options;
    expect((first?.durationSeconds.p10 ?? 0) / 3600).toBeLessThan(published);
    expect((first?.durationSeconds.p90 ?? 0) / 3600).toBeGreaterThan(published);
  });

  test('a kind alone lets weir choose, and a gang grows until a day is enough', () => {
    const { options } = quoteOf({
      resources: { accelerators: 'H100', market: 'on-demand', regions: ['us-central1'] },
      workload: llama,
      objective: 'fastest',
    });
    const totals = options.map(({ offer }) => offer.accelerators.count * offer.nodes);
    expect(totals[0]).toBe(512);
    expect(new Set(totals)).toEqual(new Set([1, 2, 4, 8, 16, 32, 64, 128, 256, 512]));
  });

  test('of a count that weir chooses the first takes a month at most, or is the fastest there is', () => {
    const first = (preset: string) => quoteOf({ resources: { accelerators: 'H100' }, workload: { preset } }).options[0];
    expect(first('pythia-160m')?.durationSeconds.p50).toBeLessThan(30 * 86_400);
    const { count } = first('llama-3.1-405b')?.offer.accelerators ?? {};
    expect((count ?? 0) * (first('llama-3.1-405b')?.offer.nodes ?? 0)).toBe(512);
  });

  test('gangs are of the largest machine also where that has fewer than eight', () => {
    const quote = quoteOf({ resources: { accelerators: 'T4' }, workload: { preset: 'pythia-6.9b' } });
    expect(quote.options.some(({ offer }) => offer.accelerators.count === 4 && offer.nodes === 2)).toBe(true);
    expect(quote.workload.assumptions.join(' ')).not.toContain('Nothing listed holds the model');
  });

  test('a batch that leaves each next to nothing is said to', () => {
    const told = (batchSize: number) =>
      quoteOf({
        resources: { accelerators: 'A100-80GB:1024' },
        workload: { parameters: 7e9, tokens: 1e12, sequenceLength: 2048, batchSize },
      }).workload.assumptions.join(' ');
    expect(told(32)).toContain('A batch of 32 leaves each of 1024 accelerators 64 tokens a step');
    expect(told(2048)).not.toContain('tokens a step');
  });

  test('local GPUs are shared out one by one', () => {
    const wares = waresWithGpus('L4');
    const counts = feasibleOf(quoteOf({ resources: { accelerators: 'L4' } }, { wares })).map(
      ({ offer }) => offer.accelerators.count,
    );
    expect(counts.toSorted((left, right) => left - right)).toEqual([1, 2, 4]);
    expect(
      feasibleOf(quoteOf({ resources: { accelerators: 'L4:3', cpus: 6 } }, { wares }))[0]?.offer.hourlyUsd,
    ).toBeCloseTo(6 * 0.02 + 3 * 0.5, 6);
    expect(feasibleOf(quoteOf({ resources: { accelerators: 'L4:8' } }, { wares }))).toEqual([]);
  });

  test.each([
    ['v5e-8', 'v5litepod-8', 8],
    ['v4-8', 'v4-8', 4],
    ['v6e-16', 'v6e-16', 16],
  ])('the slice %s has %s and its chips', (accelerators, machineType, count) => {
    expect(quoteOf({ resources: { accelerators }, workload: llama }).options[0]?.offer).toMatchObject({
      machineType,
      accelerators: { count },
    });
  });

  test('a slice that does not exist is named, with the next larger one', () => {
    expect(() => quoteOf({ resources: { accelerators: 'v5e-7' } })).toThrow('v5e-8');
    expect(() => quoteOf({ resources: { accelerators: 'v4-4' } })).toThrow('v4-8');
  });

  test('spot rates say what they rest on: public traces of V100, judgement of the rest', () => {
    const told = (accelerators: string) =>
      quoteOf({ workload: digits, resources: { accelerators, market: 'spot' } }).workload.assumptions.join(' ');
    expect(told('V100:1')).toContain('(as in public traces)');
    expect(told('H100:8')).toContain('(a judgement by how scarce they are');
  });

  test('without checkpoints a long job is warned off spot', () => {
    const spec = {
      resources: { accelerators: 'L4:1', market: 'spot' as const },
      workload: { expectedDuration: '40h' },
    };
    expect(quoteOf(spec).options[0]?.reasons.join(' ')).toContain('checkpoints');
    expect(quoteOf({ ...spec, checkpoints: { path: 'ckpt/' } }).options[0]?.reasons.join(' ')).not.toContain(
      'checkpoints',
    );
  });
});

describe('where nothing is listed', () => {
  test.each([
    ['an accelerator without a price', { accelerators: 'B200:8' }, 'no price for B200'],
    ['a count that no machine has', { accelerators: 'A100-80GB:3' }, 'in machines of 1, 2, 4, 8'],
    ['a region that does not have it', { accelerators: 'v4-8', regions: ['us-east1'] }, 'in us-central2'],
  ])('%s is said', (_name, resources, said) => {
    const quote = quoteOf({ resources });
    expect(quote.options).toEqual([]);
    expect(quote.workload.assumptions.join(' ')).toContain(said);
  });
});

test('every quote has ordered, non-negative figures, and feasible options before others', () => {
  const spec = fc.record(
    {
      resources: fc.record(
        {
          accelerators: fc.constantFrom('T4', 'L4:1', 'A100', 'A100-80GB:8', 'H100', 'B200', 'v5e-8', 'v3-8'),
          nodes: fc.integer({ min: 1, max: 8 }),
          cpus: fc.integer({ min: 1, max: 100 }),
        },
        { requiredKeys: [] },
      ),
      workload: fc.record(
        {
          flops: fc.double({ min: 1e3, max: 1e26, noNaN: true }),
          kind: fc.constantFrom('llm' as const, 'vision' as const, 'other' as const),
          precision: fc.constantFrom('fp32' as const, 'bf16' as const, 'fp8' as const),
        },
        { requiredKeys: [] },
      ),
      objective: fc.constantFrom('cheapest' as const, 'fastest' as const),
      maxCostUsd: fc.double({ min: 0.01, max: 1e6, noNaN: true }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(spec, (given) => {
      const quote = quoteOf(given, { history: noHistory });
      expect(Value.Errors(Quote, quote)).toEqual([]);
      expect(quote.options.map(({ feasible }) => feasible)).toEqual(
        quote.options.map(({ feasible }) => feasible).toSorted((left, right) => Number(right) - Number(left)),
      );
      for (const { durationSeconds, costUsd, reasons, feasible } of quote.options) {
        for (const { p10, p50, p90 } of [durationSeconds, costUsd]) {
          expect(p10).toBeGreaterThanOrEqual(0);
          expect(p10).toBeLessThanOrEqual(p50);
          expect(p50).toBeLessThanOrEqual(p90);
        }
        expect(feasible).toBe(reasons.length === 0);
      }
    }),
    { numRuns: 60 },
  );
});

test('a provider that nobody has is refused, not taken for a shortage', () => {
  expect(() => quoteOf({ resources: { providers: ['gpc', 'local', 'lokal'] } })).toThrowError(
    expect.objectContaining({
      code: 'invalid',
      faults: [
        { pointer: '/resources/providers/0', detail: 'There is no provider "gpc"; there are local, gcp.' },
        { pointer: '/resources/providers/2', detail: 'There is no provider "lokal"; there are local, gcp.' },
      ],
    }),
  );
  expect(quoteOf({ resources: { providers: ['gcp', 'local'] } }).recommended).not.toBeNull();
});
