import { describe, expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { dayMs } from '../../src/core/time.ts';
import type { Database } from '../../src/db/database.ts';
import { createHoldQuote } from '../../src/jobs/requote.ts';
import { createSubmit } from '../../src/jobs/submit.ts';
import type { Quote } from '../../src/protocol/quote.ts';
import { builtInCatalogue } from '../../src/quotes/price-list.ts';
import { createQuoter } from '../../src/quotes/quote.ts';
import { forgetQuotes, insertQuote, requireQuote } from '../../src/quotes/store.ts';
import { localMachine } from '../quotes/sample.ts';
import { openApp, test as withApi, type TestApp } from '../support/app.ts';
import { test } from '../support/database.ts';

const spec = {
  name: 'train',
  command: 'true',
  resources: { providers: ['local'] },
  workload: { expectedDuration: '1h' },
};
const minuteMs = 60_000;

/** An API whose quotes hold for a minute, of a machine that gets dearer or cheaper by the factor. */
async function openMarket(
  db: Database,
): Promise<TestApp & { later: (factor: number) => void; close: () => Promise<void> }> {
  let [at, factor] = [Date.now(), 1];
  const now = () => new Date(at);
  const { microUsdPerCpuHour, microUsdPerGpuHour } = localMachine.divisible ?? {
    microUsdPerCpuHour: 0,
    microUsdPerGpuHour: 0,
  };
  const sellable = () => ({
    ...localMachine,
    microUsdPerHour: localMachine.microUsdPerHour * factor,
    divisible: { microUsdPerCpuHour: microUsdPerCpuHour * factor, microUsdPerGpuHour },
  });
  const { quote } = createQuoter({
    sellers: async () => [{ provider: 'local', sellables: [sellable()] }],
    catalogue: async () => builtInCatalogue,
    history: async () => () => ({}),
    policy: async () => ({}),
    share: async () => ({ window: '30d', before: 0, after: () => 0, cap: null }),
    queueWait: async () => () => ({ p50: 0, p90: 0 }),
    petaflopsPerAccelerator: () => 1,
    bucketRegion: () => null,
    now,
    quoteMs: minuteMs,
  });
  const submit = createSubmit({
    db,
    now,
    quote: (tenantId, each) => quote(tenantId, each, newId('quote')),
    holdQuote: createHoldQuote({
      now,
      quote: (tenantId, each, measured) => quote(tenantId, each, newId('quote'), measured),
      requireQuote: (tenantId, quoteId) => requireQuote(db.client, tenantId, quoteId),
      storeQuote: (tenantId, fresh, each) => insertQuote(db.client, fresh, tenantId, each),
    }),
    lineage: async (id) => [{ id, policy: {} }],
    checkReferences: async () => undefined,
    petaflopsPerAccelerator: () => 1,
    prospects: async () => ({
      spentTotals: new Map(),
      most: () => Infinity,
      tooSmall: () => [],
      poolPetaflops: Infinity,
      ceilings: { hhi: Infinity, largestShare: Infinity, windowMs: 1 },
    }),
    isBarred: async () => false,
    isFree: async () => false,
    occupy: async () => true,
    wakeDispatch: () => undefined,
  });
  const opened = await openApp(db, { now, quote, submit });
  const later = (next: number) => {
    at += 2 * minuteMs;
    factor = next;
  };
  return { ...opened, later };
}

const market = test.extend<{ market: Awaited<ReturnType<typeof openMarket>> }>({
  market: async ({ db }, use) => {
    const opened = await openMarket(db);
    await use(opened);
    await opened.close();
  },
});

const middle = ({ options, recommended }: Quote) => options.find(({ id }) => id === recommended);

describe('a job submitted with an expired quote', () => {
  for (const factor of [1, 0.5, 1.05])
    market(`is accepted at ${factor} of the price, by a quote of now`, async ({ market: { ask, tenant, later } }) => {
      const { keys } = await tenant('vision');
      const quoted: Quote = (await ask(keys.member, 'POST /v1/quotes', spec)).json();
      later(factor);
      const submitted = await ask(keys.member, 'POST /v1/jobs', { ...spec, quoteId: quoted.id });
      expect(submitted.statusCode).toBe(201);
      const { quote } = submitted.json() as { quote: Quote };
      expect(quote.id).not.toBe(quoted.id);
      const [before = 0, after = 0] = [middle(quoted)?.costUsd.p50, middle(quote)?.costUsd.p50];
      expect(after / before).toBeCloseTo(factor, 2);
    });

  market(
    'is refused where it got over a tenth dearer, with both figures and a live quote that is then accepted',
    async ({ market: { ask, tenant, later } }) => {
      const { keys } = await tenant('vision');
      const quoted: Quote = (await ask(keys.member, 'POST /v1/quotes', spec)).json();
      later(1.25);
      const refused = await ask(keys.member, 'POST /v1/jobs', { ...spec, quoteId: quoted.id });
      expect(refused.statusCode).toBe(409);
      const { type, risePercent, quoted: old, requoted } = refused.json();
      expect(type).toMatch(/\/problems\/dearer$/);
      expect(risePercent).toBeCloseTo(25, 0);
      expect(old).toMatchObject({ quoteId: quoted.id, costUsd: middle(quoted)?.costUsd });
      expect(requoted.costUsd.p50 / old.costUsd.p50).toBeCloseTo(1.25, 2);
      const fresh: Quote = (await ask(keys.member, `GET /v1/quotes/${requoted.quoteId}`)).json();
      expect(Date.parse(fresh.expiresAt)).toBeGreaterThan(Date.parse(quoted.expiresAt) + minuteMs);
      const accepted = await ask(keys.member, 'POST /v1/jobs', { ...spec, quoteId: requoted.quoteId });
      expect(accepted.statusCode).toBe(201);
      expect(accepted.json().quote.id).toBe(requoted.quoteId);
    },
  );

  market(
    'is refused where it got so dear that nothing is recommended any more',
    async ({ market: { ask, tenant, later } }) => {
      const { keys } = await tenant('vision');
      const limited = { ...spec, maxCostUsd: 0.05 };
      const quoted: Quote = (await ask(keys.member, 'POST /v1/quotes', limited)).json();
      expect(quoted.recommended).not.toBeNull();
      later(10);
      const refused = await ask(keys.member, 'POST /v1/jobs', { ...limited, quoteId: quoted.id });
      expect(refused.statusCode).toBe(409);
      const fresh: Quote = (await ask(keys.member, `GET /v1/quotes/${refused.json().requoted.quoteId}`)).json();
      expect(fresh.recommended).toBeNull();
    },
  );

  market(
    'is quoted from what its pilot measured, not from the spec again',
    async ({ db, market: { ask, tenant, later } }) => {
      const { id, keys } = await tenant('vision');
      const plain: Quote = (await ask(keys.member, 'POST /v1/quotes', spec)).json();
      const { kind, count } = middle(plain)?.offer.accelerators ?? { kind: 'cpu', count: 1 };
      const measured = { accelerators: { kind, count }, durationSeconds: 1800, spreadFactor: 1.04 };
      const pilot = { state: 'done', job: null, message: 'Measured.', measured } as const;
      const piloted = { ...plain, id: newId('quote'), pilot };
      await insertQuote(db.client, piloted, id, spec);
      later(1);
      const submitted = await ask(keys.member, 'POST /v1/jobs', { ...spec, quoteId: piloted.id });
      expect(submitted.statusCode).toBe(201);
      const { quote } = submitted.json() as { quote: Quote };
      expect(quote.workload.basis).toBe('pilot');
      expect(quote.pilot).toEqual(pilot);
      expect(middle(quote)?.durationSeconds.p50).toBeCloseTo(1800, -1);
    },
  );
});

withApi('a quote that no job came of is forgotten a month after it expired', async ({ api, db }) => {
  const { keys } = await api.tenant('vision');
  const made = async () =>
    (await api.ask(keys.member, 'POST /v1/quotes', { name: 'train', command: 'true' })).json().id;
  const [unused, live, piloted, used] = [await made(), await made(), await made(), await made()];
  await api.ask(keys.member, 'POST /v1/jobs', { name: 'train', command: 'true', quoteId: used });
  await db.client.pilot.create({ data: { quoteId: piloted, tenantId: 'any', jobId: newId('job'), since: new Date() } });
  await db.client.quote.updateMany({
    where: { id: { in: [unused, piloted, used] } },
    data: { expiresAt: new Date(Date.now() - 31 * dayMs) },
  });
  await forgetQuotes(db.client, new Date());
  const left = await db.client.quote.findMany({ select: { id: true } });
  expect(new Set(left.map(({ id }) => id))).toEqual(new Set([live, piloted, used]));
  expect((await api.ask(keys.viewer, `GET /v1/quotes/${unused}`)).statusCode).toBe(404);
});
