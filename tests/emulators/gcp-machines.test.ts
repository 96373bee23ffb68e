import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { createCaller, zone, type Caller } from './gcp/caller.ts';
import { startGcpEmulator, type GcpEmulator } from './gcp/emulator.ts';
import type { Json } from './gcp/messages.ts';

let cloud: GcpEmulator;
let caller: Caller;

beforeAll(async () => {
  cloud = await startGcpEmulator({ timing: { secondMs: 1 } });
  caller = createCaller(cloud);
});
afterAll(async () => cloud?.close());

test('an eviction is told by metadata and SIGTERM, and ends the machine with all that it runs', async () => {
  const evicted = await caller.boot(
    'evicted',
    `trap 'echo told; exit' TERM; sh -c 'trap "" TERM; while :; do sleep 0.1; done' & echo ready; wait; wait`,
  );
  const { machine: process_, metadata: server } = evicted;
  const preemption = (query: string) =>
    fetch(`http://${server?.host}/computeMetadata/v1/instance/preempted${query}`, {
      headers: { 'metadata-flavor': 'Google' },
    });
  const etag = (await preemption('')).headers.get('etag');
  const preempted = preemption(`?wait_for_change=true&last_etag=${etag}`);
  const eviction = cloud.evict('evicted', 300);
  expect(await (await preempted).text()).toBe('TRUE');
  await eviction;
  expect(process_?.serialOutput()).toContain('told');
  expect(process_?.pids()).toEqual([]);
  expect((await caller.call('GET', `zones/${zone}/instances/evicted`)).status).toBe(404);
  const filter = encodeURIComponent('operationType = compute.instances.preempted');
  expect((await caller.call('GET', `zones/${zone}/operations?filter=${filter}`)).body['items']).toMatchObject([
    { status: 'DONE', targetLink: expect.stringContaining('/instances/evicted') },
  ]);
});

test('a machine that shuts itself down stays as TERMINATED and costs no more', async () => {
  await caller.done(await caller.insert(caller.machine('off', 'shutdown -h now')));
  await waitFor(
    'it to be off',
    async () => (await caller.call('GET', `zones/${zone}/instances/off`)).body['status'] === 'TERMINATED',
  );
  const seconds = cloud.runningSeconds('off');
  expect(seconds).toBeGreaterThan(0);
  expect(cloud.runningSeconds('off')).toBe(seconds);
});

test('a machine is deleted when its maxRunDuration is over', async () => {
  const scheduling = { ...(caller.machine('x')['scheduling'] as Json), maxRunDuration: { seconds: '30' } };
  await caller.boot('limited', 'echo ready', { scheduling: { ...scheduling, maxRunDuration: { seconds: '900' } } });
  await waitFor(
    'it to be gone',
    async () => (await caller.call('GET', `zones/${zone}/instances/limited`)).status === 404,
  );
});

test('the metadata server wants its header, and hands out tokens of the machine’s own account', async () => {
  const { metadata: server } = await caller.boot('meta', 'echo ready');
  const read = (path: string, headers: Record<string, string> = { 'metadata-flavor': 'Google' }) =>
    fetch(`http://${server?.host}/computeMetadata/v1/${path}`, { headers });
  expect((await read('instance/name', {})).status).toBe(403);
  expect((await read('instance/nothing')).status).toBe(404);
  expect(await (await read('instance/attributes/')).text()).toBe('startup-script\n');
  const { access_token } = (await (await read('instance/service-accounts/default/token')).json()) as {
    access_token: string;
  };
  expect(cloud.tokens.principal({ authorization: `Bearer ${access_token}` })).toBe(cloud.instanceAccount.email);
});
