import { expect, test } from 'vitest';
import { machineSellables, sliceSellables } from '../../../src/providers/gcp/sellables.ts';
import { queuedResource } from '../../../src/providers/gcp/slice-body.ts';
import { sliceTypeOf } from '../../../src/providers/gcp/slice-types.ts';
import { builtInCatalogue } from '../../../src/quotes/price-list.ts';
import { requestOf, settings } from './requests.ts';

/** The request for one host of a v5e-16, which has four. */
const hostOf = (node: number) =>
  requestOf({
    name: `weir-01kaa-1-${node}`,
    machineType: 'v5litepod-16',
    accelerators: { kind: 'v5e', count: 4 },
    gang: { node, bootstrapTokens: ['t0', 't1', 't2', 't3'] },
  });

test.each([
  ['v2-8', 'v2', 1, 4],
  ['v3-32', 'v3', 4, 4],
  ['v4-8', 'v4', 1, 4],
  ['v5litepod-1', 'v5e', 1, 1],
  ['v5litepod-8', 'v5e', 1, 8],
  ['v5litepod-256', 'v5e', 64, 4],
  ['v5p-16', 'v5p', 2, 4],
  ['v6e-8', 'v6e', 1, 8],
  ['v6e-16', 'v6e', 4, 4],
])('%s is a slice of %s with %i hosts of %i chips', (name, kind, hosts, chipsPerHost) => {
  expect(sliceTypeOf(name)).toMatchObject({ kind, hosts, chipsPerHost });
});

test('a slice is asked for as one node with a bootstrap token for each host, for so long and no longer', () => {
  const body = queuedResource(hostOf(2), { ...settings, capacityWaitSeconds: 120 }, { 'weir-node': 'slice' });
  expect(body).toEqual({
    tpu: {
      nodeSpec: [
        {
          parent: 'projects/weir-test/locations/us-central1-a',
          nodeId: 'weir-01kaa-1',
          node: {
            acceleratorType: 'v5litepod-16',
            runtimeVersion: 'v2-alpha-tpuv5-lite',
            networkConfig: { network: 'projects/weir-test/global/networks/weir', enableExternalIps: false },
            schedulingConfig: { spot: true },
            labels: {
              'weir-installation': 'inl_a',
              'weir-tenant': 'tnt_a',
              'weir-job': 'job_a',
              'weir-attempt': '1',
              'weir-hosts': '4',
            },
            metadata: { 'weir-node': 'slice' },
            tags: [],
          },
        },
      ],
    },
    spot: {},
    queueingPolicy: { validUntilDuration: { seconds: 120 } },
  });
});

test('a slice is sold by its hosts, with all that its chips come with, and the disk that they can have', () => {
  const places = new Map([
    [
      'us-central1-a',
      {
        machineTypes: new Set<string>(),
        acceleratorTypes: new Set<string>(),
        slices: new Set(['v5litepod-16', 'v9-8']),
      },
    ],
  ]);
  const chips = builtInCatalogue.offers('v5e').filter(({ market }) => market === 'spot');
  const chip = chips.find(({ region }) => region === 'us-central1');
  expect(machineSellables(chips, places, settings)).toEqual([]);
  expect(sliceSellables(chips, places)).toMatchObject([
    {
      cpus: 112,
      memoryBytes: 192 * 1024 ** 3,
      diskBytes: 70 * 1024 ** 3,
      zone: 'us-central1-a',
      machineType: 'v5litepod-16',
      accelerators: { kind: 'v5e', count: 4 },
      hosts: 4,
      microUsdPerHour: (chip?.microUsdPerHour ?? 0) * 4,
    },
  ]);
});
