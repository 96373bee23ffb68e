import { describe, expect, onTestFinished, test } from 'vitest';
import fc from 'fast-check';
import { pricesOf } from '../../src/quotes/billing-skus.ts';
import { readGooglePrices } from '../../src/quotes/google-prices.ts';
import { buildCatalogue, builtInCatalogue } from '../../src/quotes/price-list.ts';
import { serve, serveBilling, sku, usualSkus, type BillingServer } from './billing-server.ts';

const closing = async (server: Promise<BillingServer>): Promise<BillingServer> => {
  const { close } = await server;
  onTestFinished(close);
  return server;
};

describe('a machine is priced by its parts', () => {
  const byType = new Map(pricesOf(usualSkus).map((price) => [price.machineType, price]));

  test.each([
    ['a3-highgpu-8g', 208 * 0.03 + 1872 * 0.003 + 8 * 10, 208 * 0.01 + 1872 * 0.001 + 8 * 3],
    ['a3-highgpu-1g', 26 * 0.03 + 234 * 0.003 + 10, 26 * 0.01 + 234 * 0.001 + 3],
    // With 375 GiB of local disk for each GPU, as the table that weir ships with has it.
    ['a2-ultragpu-1g', 5.068798, null],
    ['a2-ultragpu-8g', 40.550383, null],
    ['n1-standard-4', 4 * 0.031611 + 15 * 0.004237, null],
    ['n1-standard-8+2xT4', 8 * 0.031611 + 30 * 0.004237 + 2 * 0.35, null],
  ])('%s', (machineType, onDemand, spot) => {
    expect(byType.get(machineType)).toEqual({
      machineType,
      region: 'us-central1',
      onDemand: Math.round(onDemand * 1e6),
      spot: spot === null ? null : Math.round(spot * 1e6),
    });
  });

  test('and not at all where one of them has no price', () => {
    expect(byType.has('a3-megagpu-8g')).toBe(false);
    expect(byType.has('g2-standard-4')).toBe(false);
  });

  test('whatever order the SKUs come in, and never at the price of other terms', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(usualSkus, { minLength: usualSkus.length }), (shuffled) => {
        expect(pricesOf(shuffled)).toEqual(pricesOf(usualSkus));
      }),
    );
  });

  test('spot that is no cheaper is left out, and so is another currency', () => {
    const dearSpot = [
      ...usualSkus,
      sku('Nvidia H100 80GB GPU attached to Spot Preemptible VMs running in Americas', 30, {
        usageType: 'Preemptible',
      }),
    ];
    expect(pricesOf(dearSpot).find(({ machineType }) => machineType === 'a3-highgpu-8g')?.spot).toBeNull();
    const euros = usualSkus.map((each) => ({
      ...each,
      pricingInfo: [
        { pricingExpression: { usageUnit: 'h', tieredRates: [{ unitPrice: { currencyCode: 'EUR', units: '1' } }] } },
      ],
    }));
    expect(pricesOf(euros)).toEqual([]);
  });
});

test('the price list is read page by page', async () => {
  const { apiEndpoint, asked } = await closing(
    serveBilling([usualSkus.slice(0, 3), usualSkus.slice(3, 9), usualSkus.slice(9)]),
  );
  expect(await readGooglePrices({ apiEndpoint })).toEqual(pricesOf(usualSkus));
  expect(asked).toEqual(['', '1', '2'].map((token) => `/v1/services/6F81-5844-456A/skus?pageToken=${token}`));
});

describe('where Google does not answer as described, nothing is read', () => {
  test.each<[string, Parameters<typeof serve>[0]]>([
    ['an error', (_url, response) => response.writeHead(403).end('{"error":{"code":403}}')],
    [
      'a page that breaks off',
      (_url, response) => response.writeHead(200, { 'content-length': 1000 }).end('{"skus":['),
    ],
    [
      'no price that we know',
      (_url, response) => response.setHeader('content-type', 'application/json').end('{"skus":[]}'),
    ],
    [
      'a list without end',
      (_url, response) =>
        response.setHeader('content-type', 'application/json').end('{"skus":[],"nextPageToken":"more"}'),
    ],
    [
      'a second page that fails',
      ({ searchParams }, response) =>
        searchParams.get('pageToken') === ''
          ? response
              .setHeader('content-type', 'application/json')
              .end(JSON.stringify({ skus: usualSkus, nextPageToken: '1' }))
          : response.writeHead(400).end('{}'),
    ],
  ])('%s', async (_name, answer) => {
    const { apiEndpoint } = await closing(serve(answer));
    await expect(readGooglePrices({ apiEndpoint })).rejects.toMatchObject({ code: 'unavailable' });
  });
});

test('newer prices take the place of those of the same machine and region; the others keep theirs, with their date', () => {
  const catalogue = buildCatalogue({ date: '2026-11-25', prices: pricesOf(usualSkus) });
  const h100 = (region: string, machineType: string) =>
    catalogue.offers('H100').find((offer) => offer.region === region && offer.machineType === machineType);
  expect(h100('us-central1', 'a3-highgpu-8g')).toMatchObject({ priceDate: '2026-11-25' });
  expect(h100('us-east4', 'a3-megagpu-8g')).toMatchObject({ priceDate: '2026-08-03' });
  expect(h100('europe-west4', 'a3-highgpu-8g')).toMatchObject({ priceDate: '2026-08-03' });
  expect(catalogue.date).toBe('2026-11-25');
  expect(builtInCatalogue.date).toBe('2026-08-03');
});

test('a machine of which only the parts are known has a price once Google names it', () => {
  expect(builtInCatalogue.offers('B200')).toEqual([]);
  const parts = [
    sku('A4 Instance Core running in Americas', 0.03),
    sku('A4 Instance Ram running in Americas', 0.003),
    sku('A4 Nvidia B200 (1 gpu slice) running in Americas', 15),
  ];
  const [b200] = buildCatalogue({ date: '2026-11-25', prices: pricesOf(parts) }).offers('B200');
  expect(b200).toMatchObject({ machineType: 'a4-highgpu-8g', region: 'us-central1', count: 8, market: 'on-demand' });
});
