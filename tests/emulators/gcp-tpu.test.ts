import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { startGcpEmulator, type GcpEmulator } from './gcp/emulator.ts';
import type { Json } from './gcp/messages.ts';

const zone = 'us-central1-b';
let cloud: GcpEmulator;
let token: string;

beforeAll(async () => {
  cloud = await startGcpEmulator({ machines: 'records', timing: { secondMs: 10 } });
  token = cloud.tokens.issue(cloud.account.email).access_token;
});
afterEach(() => cloud.faults.clear());
afterAll(async () => cloud?.close());

async function call(method: string, path: string, body?: Json): Promise<{ status: number; body: Json }> {
  const response = await fetch(`${cloud.url}/v2/projects/${cloud.project}/locations/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Json };
}

const ask = (id: string, requestId = randomUUID(), more: Json = {}) =>
  call('POST', `${zone}/queuedResources?queuedResourceId=${id}&requestId=${requestId}`, {
    tpu: {
      nodeSpec: [
        {
          parent: `projects/${cloud.project}/locations/${zone}`,
          nodeId: id,
          node: { acceleratorType: 'v2-32', runtimeVersion: 'tpu-ubuntu2204-base', labels: { owner: id } },
        },
      ],
    },
    spot: {},
    queueingPolicy: { validUntilDuration: '30s' },
    ...more,
  });
const read = async (id: string) => (await call('GET', `${zone}/queuedResources/${id}`)).body;
const stateOf = async (id: string) => ((await read(id))['state'] as Json)['state'];
const isIn = (id: string, state: string) => waitFor(`${id} to be ${state}`, async () => (await stateOf(id)) === state);

test('a queued resource becomes a node of several hosts, each with its number and the addresses of all', async () => {
  const { body: operation } = await ask('one');
  expect(operation).toMatchObject({ done: false, metadata: { verb: 'create', apiVersion: 'v2' } });
  await isIn('one', 'ACTIVE');
  const id = String(operation['name']).split('/').at(-1);
  await waitFor('the operation', async () => (await call('GET', `${zone}/operations/${id}`)).body['done'] === true);
  const { body: node } = await call('GET', `${zone}/nodes/one`);
  const { hosts } = cloud.slices.find('one');
  expect(node).toMatchObject({
    state: 'READY',
    queuedResource: `projects/${cloud.project}/locations/${zone}/queuedResources/one`,
    acceleratorConfig: { type: 'V2', topology: '4x4' },
    networkEndpoints: hosts.map(({ address }) => ({ ipAddress: address, port: 8470 })),
  });
  expect(hosts.map(({ attribute }) => attribute('agent-worker-number'))).toEqual(['0', '1', '2', '3']);
  expect(hosts[3]?.attribute('worker-network-endpoints')).toBe(
    hosts.map(({ address }) => `unknown:unknown:${address}`).join(','),
  );
  expect(hosts[3]?.attribute('tpu-env')).toContain("HOST_BOUNDS: '2,2,1'\n");
});

test('a request that is repeated with its requestId is the same operation; without, it is refused', async () => {
  const requestId = randomUUID();
  const [first, second, third] = [await ask('two', requestId), await ask('two', requestId), await ask('two')];
  expect(second.body['name']).toBe(first.body['name']);
  expect(third).toMatchObject({ status: 409, body: { error: { status: 'ALREADY_EXISTS' } } });
});

test('what is active is deleted only by force, or once its node is gone', async () => {
  await ask('three');
  await isIn('three', 'ACTIVE');
  const path = `${zone}/queuedResources/three`;
  expect(await call('DELETE', path)).toMatchObject({
    status: 400,
    body: { error: { code: 400, status: 'FAILED_PRECONDITION' } },
  });
  await call('DELETE', `${zone}/nodes/three`);
  await isIn('three', 'SUSPENDED');
  expect((await read('three'))['state']).toEqual({ state: 'SUSPENDED', stateInitiator: 'USER', suspendedData: {} });
  expect((await call('DELETE', path)).status).toBe(200);
  expect((await call('GET', path)).body).toMatchObject({
    error: { status: 'NOT_FOUND', details: [{ resourceName: expect.stringContaining('queuedResources/three') }] },
  });
});

test('an eviction suspends the request and takes its node; it costs from READY until then', async () => {
  await ask('four');
  await isIn('four', 'ACTIVE');
  await cloud.slices.evict('four', 0);
  expect((await read('four'))['state']).toMatchObject({ state: 'SUSPENDED', stateInitiator: 'SERVICE' });
  expect((await call('GET', `${zone}/nodes/four`)).status).toBe(404);
  const seconds = cloud.slices.runningSeconds('four');
  expect(seconds).toBeGreaterThan(0);
  expect(cloud.slices.runningSeconds('four')).toBe(seconds);
});

test('a request waits for capacity until it is over, and stays as FAILED', async () => {
  cloud.faults.stockout({ zone, times: 1 });
  await ask('five');
  await isIn('five', 'WAITING_FOR_RESOURCES');
  await isIn('five', 'FAILED');
  expect((await read('five'))['state']).toMatchObject({
    failedData: { error: { code: 4, message: expect.stringContaining('expired') } },
  });
});

test('lists come in pages, of one zone or of all, and name the zones that they do not reach', async () => {
  const names = async (path: string) =>
    ((await call('GET', path)).body['queuedResources'] as Json[]).map(({ name }) => String(name).split('/').at(-1));
  const { body: page } = await call('GET', `${zone}/queuedResources?pageSize=2`);
  expect(page['queuedResources']).toHaveLength(2);
  const rest = await names(`${zone}/queuedResources?pageToken=${String(page['nextPageToken'])}`);
  const all = await names('-/queuedResources');
  expect(all).toHaveLength(2 + rest.length);
  expect(await names('us-central1-c/queuedResources')).toEqual([]);
  cloud.slices.unreachable.add(zone);
  expect((await call('GET', '-/queuedResources')).body).toEqual({
    queuedResources: [],
    unreachable: [`projects/${cloud.project}/locations/${zone}`],
  });
  cloud.slices.unreachable.clear();
});

test('a place or a slice that there is not is told as Cloud TPU tells it', async () => {
  expect(await call('GET', 'us-central1-f/acceleratorTypes')).toMatchObject({
    status: 403,
    body: { error: { message: 'Location us-central1-f is not found or access is unauthorized.' } },
  });
  const nodeSpec = {
    parent: `projects/${cloud.project}/locations/${zone}`,
    nodeId: 'six',
    node: { acceleratorType: 'v5p-8', runtimeVersion: 'v2-alpha-tpuv5' },
  };
  expect((await ask('six', randomUUID(), { tpu: { nodeSpec: [nodeSpec] } })).body).toMatchObject({
    error: { code: 400, message: expect.stringContaining(`the accelerator v5p-8 was not found in zone ${zone}`) },
  });
});
