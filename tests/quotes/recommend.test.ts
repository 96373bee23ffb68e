import { describe, expect, test } from 'vitest';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import { localWares, quoteOf, waresWithGpus } from './sample.ts';

describe('the recommendation', () => {
  const wares = waresWithGpus('L4');
  const spec: Partial<JobSpec> = { resources: { accelerators: 'L4' }, workload: { flops: 1e18, kind: 'llm' } };
  const chosen = (more: Partial<JobSpec>) => {
    const quote = quoteOf({ ...spec, ...more }, { wares });
    return { quote, option: quote.options.find(({ id }) => id === quote.recommended) };
  };

  test('is the cheapest, or the fastest', () => {
    expect(chosen({ objective: 'cheapest' }).option?.offer.accelerators.count).toBe(1);
    expect(chosen({ objective: 'fastest' }).option?.offer.accelerators.count).toBe(4);
  });

  test('is the cheapest that keeps the deadline', () => {
    const alone = chosen({}).option?.durationSeconds.p50 ?? 0;
    const deadline = new Date(Date.parse('2026-11-23T12:00:00Z') + alone * 700).toISOString();
    expect(chosen({ deadline }).option?.offer.accelerators.count).toBe(2);
  });

  test('is no spot machine that is cheap with luck alone', () => {
    const quote = quoteOf({
      resources: { accelerators: 'A100-80GB:8' },
      workload: { parameters: 7e9, tokens: 1.4e8, sequenceLength: 2048 },
    });
    const [first] = quote.options;
    const onDemand = quote.options.filter(({ offer }) => offer.market === 'on-demand');
    expect(first?.costUsd.p90).toBeLessThan(1.1 * Math.min(...onDemand.map(({ costUsd }) => costUsd.p90)));
    for (const { offer, durationSeconds, reasons } of quote.options)
      if (offer.market === 'spot' && !reasons.join(' ').includes('may never finish'))
        expect(durationSeconds.p90).toBeLessThan(20 * durationSeconds.p50);
  });

  test('is what is done within maxDuration; where nothing is, that is said', () => {
    const alone = chosen({}).option?.durationSeconds.p50 ?? 0;
    const within = (seconds: number) => chosen({ maxDuration: `${Math.round(seconds)}s` });
    expect(within(alone * 1.01).option?.offer.accelerators.count).toBe(1);
    expect(within(alone * 0.7).option?.offer.accelerators.count).toBe(2);
    expect(within(alone * 0.7).quote.workload.assumptions.join(' ')).not.toContain('stopped before it is done');
    const { quote, option } = within(alone / 100);
    expect(option?.durationSeconds.p50).toBe(Math.round(alone / 100));
    expect(quote.workload.assumptions.join(' ')).toMatch(/expected to take \d+ .*stopped before it is done/);
  });

  test('is nothing, with the reason, where not even luck would keep the limits', () => {
    const { quote } = chosen({ maxCostUsd: 0.000_001 });
    expect(quote.recommended).toBeNull();
    expect(quote.workload.assumptions.join(' ')).toContain('even with luck');
  });

  test('follows the order of the spec’s providers', () => {
    const both = {
      ...wares,
      providers: new Set(['local', 'other']),
      byKind: new Map([
        [
          'cpu',
          [
            ...(localWares.byKind.get('cpu') ?? []),
            ...(localWares.byKind.get('cpu') ?? []).map((ware) => ({ ...ware, provider: 'other' })),
          ],
        ],
      ]),
    };
    const quote = quoteOf({ resources: { providers: ['other', 'local'] } }, { wares: both });
    expect(quote.options.find(({ id }) => id === quote.recommended)?.offer.provider).toBe('other');
  });
});
