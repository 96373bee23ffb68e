import { describe, expect, test } from 'vitest';
import type { WeirError } from '../../../src/core/errors.ts';
import { machineSellables, sliceSellables } from '../../../src/providers/gcp/sellables.ts';
import { createSlice, deleteSlice, listSlices } from '../../../src/providers/gcp/slices.ts';
import { queuedResource } from '../../../src/providers/gcp/slice-body.ts';
import { sliceTypeOf } from '../../../src/providers/gcp/slice-types.ts';
import { builtInCatalogue } from '../../../src/quotes/price-list.ts';
import { requestOf, settings } from './requests.ts';
import { createScriptedTpu } from './scripted-tpu.ts';

const never = (error: unknown): never => {
  throw error;
};

/** The request for one host of a v5e-16, which has four. */
const hostOf = (node: number) =>
  requestOf({
    name: `weir-01kaa-1-${node}`,
    machineType: 'v5litepod-16',
    accelerators: { kind: 'v5e', count: 4 },
    gang: { node, bootstrapTokens: ['t0', 't1', 't2', 't3'] },
  });

const contextOf = (tpu: ReturnType<typeof createScriptedTpu>) => ({
  settings,
  installation: 'inl_a',
  clients: tpu.clients,
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

test('a slice is sold by its hosts, at the price of its chips', () => {
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
  expect(sliceSellables(chips, places, settings)).toMatchObject([
    {
      zone: 'us-central1-a',
      machineType: 'v5litepod-16',
      accelerators: { kind: 'v5e', count: 4 },
      hosts: 4,
      microUsdPerHour: (chip?.microUsdPerHour ?? 0) * 4,
    },
  ]);
});

describe('a slice', () => {
  test('of several hosts is asked for once, by whichever comes first, and is there when it is active', async () => {
    const tpu = createScriptedTpu();
    tpu.willBe({ state: 'WAITING_FOR_RESOURCES' }, { state: 'PROVISIONING' }, { state: 'ACTIVE' });
    const since = await createSlice(hostOf(0), {}, contextOf(tpu), 1);
    expect(since).toEqual(new Date(1_800_000_000_000));
    await Promise.all([1, 2, 3].map((node) => createSlice(hostOf(node), {}, contextOf(tpu), 1)));
    expect(tpu.calls.filter((call) => call === 'create')).toHaveLength(1);
    expect((await listSlices(contextOf(tpu), never)).map(({ name }) => name)).toEqual([
      'weir-01kaa-1-0',
      'weir-01kaa-1-1',
      'weir-01kaa-1-2',
      'weir-01kaa-1-3',
    ]);
  });

  const failed = (code: number, message: string) =>
    ({ state: 'FAILED', failedData: { error: { code, message } } }) as const;
  test.each([
    [
      'that found no capacity',
      failed(8, 'There is no more capacity in the zone "us-central1-a"'),
      'no-capacity',
      'stockout',
    ],
    ['whose time was over', failed(4, 'The valid until timing constraint has expired.'), 'no-capacity', 'stockout'],
    ['that was taken away again', { state: 'SUSPENDED' } as const, 'no-capacity', 'stockout'],
    [
      'beyond a quota',
      failed(8, "Quota limit 'TPUV5sLitepodPerProjectPerZone' has been exceeded. Limit: 0 in zone us-central1-a."),
      'no-capacity',
      'quota',
    ],
    [
      'of a type that is not there',
      failed(3, 'Accelerator type v5litepod-3 is not found in us-central1-a'),
      'invalid',
      'refused',
    ],
  ])('%s says so', async (_what, state, code, cause) => {
    const tpu = createScriptedTpu();
    tpu.willBe(state);
    const error = await createSlice(hostOf(0), {}, contextOf(tpu), 1).catch((thrown: WeirError) => thrown);
    expect(error).toMatchObject({ code, extra: { shortage: { cause } } });
  });

  test('is deleted with its nodes, however often each of its hosts asks', async () => {
    const tpu = createScriptedTpu();
    tpu.willBe({ state: 'ACTIVE' });
    await createSlice(hostOf(0), {}, contextOf(tpu), 1);
    for (const node of [0, 1, 2, 3]) await deleteSlice(hostOf(node), contextOf(tpu));
    expect(tpu.calls).toContain('delete with its nodes');
    expect(await listSlices(contextOf(tpu), never)).toEqual([]);
  });

  test('that was taken away has no hosts any more, and what is left of its request goes too', async () => {
    const tpu = createScriptedTpu();
    tpu.willBe({ state: 'ACTIVE' });
    await createSlice(hostOf(0), {}, contextOf(tpu), 1);
    for (const resource of tpu.resources.values()) resource.state = { state: 'SUSPENDED' };
    expect(await listSlices(contextOf(tpu), never)).toEqual([]);
    expect(tpu.resources.size).toBe(0);
  });

  test('of another installation is none of ours', async () => {
    const tpu = createScriptedTpu();
    tpu.willBe({ state: 'ACTIVE' });
    await createSlice(hostOf(0), {}, contextOf(tpu), 1);
    expect(await listSlices({ ...contextOf(tpu), installation: 'inl_b' }, never)).toEqual([]);
  });
});
