import { expect, test } from 'vitest';
import { computePetaflopsPerAccelerator, peakFlops } from '../../src/quotes/catalogue.ts';
import { builtInCatalogue } from '../../src/quotes/price-list.ts';

test('the unit of shares is the peak dense bf16 rate, fp16 where there is none', () => {
  expect(computePetaflopsPerAccelerator('H100')).toBe(0.989);
  expect(computePetaflopsPerAccelerator('V100')).toBe(0.125);
  expect(computePetaflopsPerAccelerator('v5e')).toBe(0.197);
  expect(computePetaflopsPerAccelerator('cpu')).toBe(0.000_05);
  expect(computePetaflopsPerAccelerator('cpu', 0.0001)).toBeCloseTo(0.0001);
  expect(peakFlops('H100', 'fp8')).toBe(1.979e15);
});

test('the catalogue holds only plausible whole-machine prices, spot below on demand', () => {
  const kinds = [
    'T4',
    'P100',
    'V100',
    'L4',
    'A100',
    'A100-80GB',
    'H100',
    'H200',
    'v2',
    'v3',
    'v4',
    'v5e',
    'v5p',
    'v6e',
  ];
  for (const kind of kinds) {
    const offers = builtInCatalogue.offers(kind);
    expect(offers.length, kind).toBeGreaterThan(0);
    for (const offer of offers) {
      const perAccelerator = offer.microUsdPerHour / offer.count / 1e6;
      expect(perAccelerator, `${kind} in ${offer.region}`).toBeGreaterThan(0.05);
      expect(perAccelerator, `${kind} in ${offer.region}`).toBeLessThan(25);
      const onDemand = offers.find(
        ({ market, region, machineType }) =>
          market === 'on-demand' && region === offer.region && machineType === offer.machineType,
      );
      if (offer.market === 'spot') expect(offer.microUsdPerHour).toBeLessThan(onDemand?.microUsdPerHour ?? 0);
    }
  }
  const h100 = builtInCatalogue
    .offers('H100')
    .find(
      ({ region, machineType, market }) =>
        region === 'us-central1' && machineType === 'a3-highgpu-8g' && market === 'on-demand',
    );
  expect(h100?.microUsdPerHour).toBe(88_490_000);
});
