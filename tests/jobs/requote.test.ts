import { describe, expect, test } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { createHoldQuote } from '../../src/jobs/requote.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import type { Quote } from '../../src/protocol/quote.ts';
import { sampleQuote } from '../support/app.ts';

const now = new Date('2026-11-25T12:00:00Z');
const spec: JobSpec = { name: 'train', command: 'true' };

/** A quote that costs so much, live or not. */
function quoteAt(costUsd: number, expiresInMs: number): Quote {
  const sample = sampleQuote(newId('quote'));
  const options = sample.options.map((option) => ({ ...option, costUsd: { p10: 0, p50: costUsd, p90: 2 * costUsd } }));
  return { ...sample, options, expiresAt: new Date(now.getTime() + expiresInMs).toISOString() };
}

function holding(stored: Quote, fresh: Quote, quoted = spec) {
  const kept: Quote[] = [];
  const hold = createHoldQuote({
    now: () => now,
    quote: async () => fresh,
    requireQuote: async () => ({ quote: stored, spec: quoted }),
    storeQuote: async (_tenantId, quote) => void kept.push(quote),
  });
  return { hold: (optionId?: string) => hold('tenant', { quoteId: stored.id, optionId, spec }), kept, holdAny: hold };
}

test('a live quote keeps its prices, whatever they are now', async () => {
  const stored = quoteAt(1, 1000);
  const { hold } = holding(stored, quoteAt(5, 1000));
  expect(await hold()).toEqual({ quote: stored, optionId: undefined, isNew: false });
});

describe('an expired one', () => {
  test('is requoted, and accepted where the job got no more than a tenth dearer', async () => {
    for (const costUsd of [0.2, 1, 1.1]) {
      const fresh = quoteAt(costUsd, 1000);
      const { hold, kept } = holding(quoteAt(1, -1), fresh);
      expect(await hold()).toEqual({ quote: fresh, optionId: undefined, isNew: true });
      expect(kept).toEqual([]);
    }
  });

  test('is accepted with its option, as the same offer is named now', async () => {
    const [stored, fresh] = [quoteAt(1, -1), quoteAt(1, 1000)];
    const { hold } = holding(stored, fresh);
    expect((await hold(stored.options[0]?.id)).optionId).toBe(fresh.options[0]?.id);
  });

  test('is refused where the offer of its option is gone, and not run on another', async () => {
    const [stored, sold] = [quoteAt(1, -1), quoteAt(1, 1000)];
    const fresh = {
      ...sold,
      options: sold.options.map((option) => ({ ...option, offer: { ...option.offer, id: 'x' } })),
    };
    const { hold, kept } = holding(stored, fresh);
    await expect(hold(stored.options[0]?.id)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining(fresh.id),
      faults: [{ pointer: '/optionId' }],
    });
    expect(kept).toEqual([fresh]);
  });

  test('is refused where it got so dear that nothing is recommended', async () => {
    const { hold } = holding(quoteAt(1, -1), { ...quoteAt(2, 1000), recommended: null });
    await expect(hold()).rejects.toMatchObject({ code: 'dearer', extra: { risePercent: 100 } });
  });

  test('is refused where it got dearer, with old and new figures and a live quote to accept them by', async () => {
    const [stored, fresh] = [quoteAt(1, -1), quoteAt(1.25, 1000)];
    const { hold, kept } = holding(stored, fresh);
    await expect(hold()).rejects.toMatchObject({
      code: 'dearer',
      message: expect.stringContaining('$1.25 now instead of $1.00, 25 % more'),
      extra: {
        risePercent: 25,
        quoted: { quoteId: stored.id, costUsd: { p50: 1 } },
        requoted: { quoteId: fresh.id, optionId: fresh.options[0]?.id, costUsd: { p50: 1.25 } },
      },
    });
    expect(kept).toEqual([fresh]);
  });
});

test('a quote of another spec is refused, with each field that differs', async () => {
  const stored = quoteAt(1, -1);
  const { holdAny } = holding(stored, stored);
  const other = { ...spec, command: 'false', priority: 60 };
  await expect(holdAny('tenant', { quoteId: stored.id, optionId: undefined, spec: other })).rejects.toMatchObject({
    code: 'invalid',
    faults: [{ pointer: '/command' }, { pointer: '/priority' }],
  });
});

test('a source may be added to what was quoted without one, and is part of what was quoted with one', async () => {
  const stored = quoteAt(1, 1);
  const { holdAny } = holding(stored, stored);
  const named = { quoteId: stored.id, optionId: undefined };
  const withSource = { ...spec, source: 'weir://uploads/a' };
  expect(await holdAny('tenant', { ...named, spec: withSource })).toMatchObject({ quote: stored, isNew: false });
  const { holdAny: holdPacked } = holding(stored, stored, withSource);
  await expect(holdPacked('tenant', { ...named, spec })).rejects.toMatchObject({ faults: [{ pointer: '/source' }] });
});
