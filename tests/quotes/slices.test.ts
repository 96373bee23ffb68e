import { expect, test } from 'vitest';
import { builtInCatalogue } from '../../src/quotes/price-list.ts';
import { indexWares } from '../../src/quotes/sellers.ts';
import { localMachine, quoteOf } from './sample.ts';

const feasibleOf = (quote: ReturnType<typeof quoteOf>) => quote.options.filter(({ feasible }) => feasible);

test('a TPU slice that is for sale is one offer of all its hosts, at the price of all its chips', () => {
  const host = {
    ...localMachine,
    region: 'us-central1',
    zone: 'us-central1-a',
    machineType: 'v5litepod-16',
    accelerators: { kind: 'v5e', count: 4 },
    market: 'spot',
    microUsdPerHour: 1_200_000,
    hosts: 4,
  } as const;
  const { divisible: _divisible, ...slice } = host;
  const wares = indexWares([{ provider: 'gcp', sellables: [slice] }], builtInCatalogue);
  const spec = {
    workload: { preset: 'llama-2-7b', tokens: 1e9 },
    resources: { accelerators: 'v5e-16' },
    checkpoints: { path: 'c/' },
  };
  expect(feasibleOf(quoteOf(spec, { wares }))).toMatchObject([
    { offer: { zone: 'us-central1-a', accelerators: { kind: 'v5e', count: 4 }, nodes: 4, hourlyUsd: 4.8 } },
  ]);
  const other = { ...spec, resources: { accelerators: 'v5e-8' } };
  expect(feasibleOf(quoteOf(other, { wares }))).toEqual([]);
});
