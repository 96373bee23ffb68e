import { expect, test } from 'vitest';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import { pilotSpec } from '../../src/quotes/pilot.ts';
import { builtInCatalogue } from '../../src/quotes/price-list.ts';
import { scalingOf } from '../../src/quotes/scaling.ts';
import { indexWares } from '../../src/quotes/sellers.ts';
import { localMachine, quoteOf, waresWithGpus } from './sample.ts';

const workload: JobSpec['workload'] = { preset: 'llama-2-7b', precision: 'bf16' };
const sizesIn = ({ options }: ReturnType<typeof quoteOf>) => [
  ...new Set(options.map(({ offer }) => `${offer.nodes} of ${offer.accelerators.count}`)),
];

test.each([
  ['H100:1024', '128 of 8'],
  ['A100:384', '24 of 16'],
  ['A100-80GB:64', '8 of 8'],
  ['A100-80GB:12', '3 of 4'],
  ['T4:8', '2 of 4'],
])('%s, which no machine has, is %s', (accelerators, gang) => {
  const quote = quoteOf({ resources: { accelerators }, workload });
  expect(sizesIn(quote)).toEqual([gang]);
  const [kind, count] = accelerators.split(':');
  const said = gang.replace(' of', ' machines of');
  expect(quote.workload.assumptions[0]).toContain(`${kind}:${count} is read as ${said}: no machine has ${count}.`);
});

test('what a configured provider sells makes such a gang that can be bought, and piloted, and scaled', () => {
  const { divisible: _divisible, ...whole } = localMachine;
  const machine = { ...whole, region: 'us-central1', machineType: 'a3-highgpu-8g', microUsdPerHour: 88_000_000 };
  const sellable = { ...machine, accelerators: { kind: 'H100', count: 8 } };
  const wares = indexWares([{ provider: 'gcp', sellables: [sellable] }], builtInCatalogue);
  const spec: JobSpec = { name: 'train', command: 'true', resources: { accelerators: 'H100:1024' }, workload };
  const quote = quoteOf(spec, { wares });
  const [best] = quote.options;
  if (best === undefined) throw new Error('nothing was quoted');
  expect(best).toMatchObject({ feasible: true, offer: { nodes: 128, accelerators: { count: 8 }, hourlyUsd: 11_264 } });
  expect(quote.recommended).toBe(best.id);
  expect(pilotSpec(spec, quote.id, best, 120_000).resources).toMatchObject({ accelerators: 'H100:8', nodes: 128 });
  const { points } = scalingOf({ quote, spec });
  expect(points.find(({ accelerators }) => accelerators.count === 1024)?.durationSeconds.p50).toBeCloseTo(
    best.durationSeconds.p50,
    2,
  );
});

test('a machine of the installation that is so large keeps the count per node', () => {
  const gpus = { ...localMachine, cpus: 64, accelerators: { kind: 'H100', count: 16 } };
  const wares = indexWares([{ provider: 'local', sellables: [gpus] }], builtInCatalogue);
  const quote = quoteOf({ resources: { accelerators: 'H100:16' } }, { wares });
  expect(sizesIn(quote)).toEqual(['1 of 16']);
  expect(quote.workload.assumptions.join(' ')).not.toContain('is read as');
});

test('a count per node that is stated with its nodes is exact, and so is one that a machine has', () => {
  expect(quoteOf({ resources: { accelerators: 'H100:1024', nodes: 1 } }).options).toEqual([]);
  expect(sizesIn(quoteOf({ resources: { accelerators: 'H100:8' }, workload }))).toEqual(['1 of 8']);
  const own = quoteOf({ resources: { accelerators: 'A10G:8' } }, { wares: waresWithGpus('A10G') });
  expect(own.options[0]?.reasons.join(' ')).toContain('wants 8 A10G, and local has 4');
});

test('a count that no gang of machines has is refused with one that does', () => {
  const refused = (accelerators: string) => () => quoteOf({ resources: { accelerators } });
  expect(refused('H200:12')).toThrowError(
    expect.objectContaining({
      faults: [
        {
          pointer: '/resources/accelerators',
          detail: expect.stringMatching(/sold in machines of 8\. H200:8 with nodes 2 has 16\.$/),
        },
      ],
    }),
  );
  expect(refused('H100:99999')).toThrow('No gang of up to 10000 machines has 99999 H100');
});
