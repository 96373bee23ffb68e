import { randomUUID } from 'node:crypto';
import { InstancesClient, ZoneOperationsClient } from '@google-cloud/compute';
import { GoogleAuth } from 'google-auth-library';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { createCaller, zone, type Caller } from './gcp/caller.ts';
import { startGcpEmulator, type GcpEmulator } from './gcp/emulator.ts';
import type { Json } from './gcp/messages.ts';

let cloud: GcpEmulator;
let caller: Caller;

beforeAll(async () => {
  cloud = await startGcpEmulator();
  caller = createCaller(cloud);
});
afterEach(() => cloud.faults.clear());
afterAll(async () => cloud?.close());

test('Google’s own client makes a machine, which runs its startup script, and deletes it with its disk', async () => {
  const auth = new GoogleAuth({ scopes: ['https://www.googleapis.com/auth/cloud-platform'] });
  Object.assign(process.env, cloud.env);
  const options = { apiEndpoint: '127.0.0.1', port: cloud.port, protocol: 'http', fallback: 'rest' as const, auth };
  const instances = new InstancesClient(options as unknown as ConstructorParameters<typeof InstancesClient>[0]);
  const operations = new ZoneOperationsClient(options as unknown as ConstructorParameters<typeof InstancesClient>[0]);
  const place = { project: cloud.project, zone };
  const script = `echo "$(curl -sf -H 'Metadata-Flavor: Google' http://\${GCE_METADATA_HOST:-169.254.169.254}/computeMetadata/v1/instance/name) ready in $PWD"`;

  const [insertion] = await instances.insert({
    ...place,
    instanceResource: caller.machine('one', script),
    requestId: randomUUID(),
  });
  const [end] = await operations.wait({ ...place, operation: insertion.latestResponse?.name ?? '' });
  expect(end).toMatchObject({ status: 'DONE', operationType: 'insert' });
  const [seen] = await instances.get({ ...place, instance: 'one' });
  expect(seen).toMatchObject({ status: 'RUNNING', labels: { owner: 'one' } });
  const one = cloud.instances.find('one');
  await waitFor('the script to have run', () => one.machine?.serialOutput().includes('one ready in /'));
  expect(cloud.disks()).toHaveLength(1);

  const [deletion] = await instances.delete({ ...place, instance: 'one' });
  await operations.wait({ ...place, operation: deletion.latestResponse?.name ?? '' });
  await expect(instances.get({ ...place, instance: 'one' })).rejects.toThrow(/was not found/);
  expect(cloud.disks()).toHaveLength(0);
  expect(one.machine).toBeUndefined();
  expect(cloud.runningSeconds('one')).toBeGreaterThan(0);
  expect(cloud.calls[0]).toMatchObject({
    method: 'compute.instances.insert',
    principal: cloud.account.email,
    permissions: ['compute.instances.create', 'compute.disks.create', 'compute.subnetworks.use'],
  });
});

test('a request that is repeated with its requestId is the same operation; without, it is refused', async () => {
  const requestId = randomUUID();
  const [first, second] = [
    await caller.insert(caller.machine('two'), requestId),
    await caller.insert(caller.machine('two'), requestId),
  ];
  expect(second.body['name']).toBe(first.body['name']);
  expect((await caller.insert(caller.machine('two'))).body).toMatchObject({
    error: { code: 409, errors: [{ reason: 'alreadyExists' }] },
  });
  await caller.done(first);
  expect(cloud.instances.ever().filter(({ name }) => name === 'two')).toHaveLength(1);
});

test.each([
  [
    { form: 'details', zonesAvailable: ['us-central1-b', 'us-central1-f'] } as const,
    'ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS',
    /does not have enough resources/,
  ],
  [{ form: 'plain' } as const, 'ZONE_RESOURCE_POOL_EXHAUSTED', /Try a different zone/],
  [{ form: 'text' } as const, 'INTERNAL_ERROR', /state:STOCKOUT/],
])('a zone without any left says so in the operation: %o', async (form, code, message) => {
  cloud.faults.stockout({ zone, market: 'spot', times: 1, ...form });
  const operation = await caller.done(await caller.insert(caller.machine('short')));
  const [error] = (operation['error'] as { errors: Json[] }).errors;
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  if (form.form === 'details')
    expect(error?.['errorDetails']).toContainEqual({
      errorInfo: {
        reason: 'resource_availability',
        domain: 'compute.googleapis.com',
        metadatas: {
          attachment: 'nvidia-l4:1',
          vmType: 'g2-standard-4',
          zone,
          zonesAvailable: 'us-central1-b,us-central1-f',
        },
      },
    });
  expect((await caller.call('GET', `zones/${zone}/instances/short`)).status).toBe(404);
});

test('quotas are counted by region, and what is over them says which', async () => {
  const usage = async () => {
    const { quotas } = (await caller.call('GET', 'regions/us-central1')).body as {
      quotas: { metric: string; usage: number }[];
    };
    return quotas.find(({ metric }) => metric === 'PREEMPTIBLE_NVIDIA_L4_GPUS')?.usage;
  };
  const before = (await usage()) ?? 0;
  await caller.done(await caller.insert(caller.machine('four')));
  expect(await usage()).toBe(before + 1);
  cloud.quotas.setLimit('us-central1', 'PREEMPTIBLE_NVIDIA_L4_GPUS', before + 1);
  const operation = await caller.done(await caller.insert(caller.machine('five')));
  cloud.quotas.setLimit('us-central1', 'PREEMPTIBLE_NVIDIA_L4_GPUS', 16);
  expect(operation['error']).toEqual({
    errors: [
      {
        code: 'QUOTA_EXCEEDED',
        message: `Quota 'PREEMPTIBLE_NVIDIA_L4_GPUS' exceeded.  Limit: ${before + 1}.0 in region us-central1.`,
        errorDetails: [
          {
            quotaInfo: {
              metricName: 'compute.googleapis.com/preemptible_nvidia_l4_gpus',
              limitName: 'PREEMPTIBLE-NVIDIA-L4-GPUS-per-project-region',
              dimensions: { region: 'us-central1' },
              limit: before + 1,
            },
          },
        ],
      },
    ],
  });
  await caller.done(await caller.call('DELETE', `zones/${zone}/instances/four`));
  expect(await usage()).toBe(before);
});

const instances = `zones/${zone}/instances`;

test.each<{ ask: [string, string, Json?]; reason: string; message: RegExp }>([
  {
    ask: ['POST', 'zones/us-central1-f/instances', { machineType: 'zones/us-central1-f/machineTypes/g2-standard-4' }],
    reason: 'invalid',
    message: /does not exist in zone 'us-central1-f'/,
  },
  { ask: ['POST', 'zones/mars-north1-a/instances', {}], reason: 'invalid', message: /Unknown zone/ },
  { ask: ['GET', 'regions/mars-north1'], reason: 'notFound', message: /regions\/mars-north1' was not found/ },
  { ask: ['POST', instances, { labels: { Job: 'x' } }], reason: 'invalid', message: /Label keys/ },
  { ask: ['POST', instances, { scheduling: {} }], reason: 'badRequest', message: /do not support live migration/ },
  { ask: ['POST', instances, { colour: 'red' }], reason: 'badRequest', message: /colour/ },
  { ask: ['GET', `${instances}?color=red`], reason: 'badRequest', message: /Unknown name "color"/ },
  { ask: ['GET', `${instances}?filter=labels.owner`], reason: 'invalid', message: /Invalid list filter/ },
  { ask: ['DELETE', `${instances}/nobody`], reason: 'notFound', message: /instances\/nobody' was not found/ },
])('$ask is refused as Google does', async ({ ask: [method, path, more], reason, message }) => {
  const { body } = await caller.call(method, path, more === undefined ? undefined : caller.machine('bad', '', more));
  expect(body).toMatchObject({ error: { errors: [{ reason }], message: expect.stringMatching(message) } });
});

test('who may not, and what is not enabled, is told apart', async () => {
  const none = await caller.call('GET', 'zones', undefined, 'nonsense');
  expect(none.body).toMatchObject({ error: { code: 401, status: 'UNAUTHENTICATED' } });
  cloud.permissions.revoke('compute.instances.setMetadata');
  expect((await caller.insert(caller.machine('six'))).body).toMatchObject({
    error: {
      code: 403,
      message: `Required 'compute.instances.setMetadata' permission for 'projects/${cloud.project}'`,
    },
  });
  cloud.permissions.restore('compute.instances.setMetadata');
  const ofInstance = cloud.tokens.issue(cloud.instanceAccount.email).access_token;
  expect((await caller.call('GET', 'zones', undefined, ofInstance)).status).toBe(403);
  cloud.faults.disableApi('compute');
  expect((await caller.call('GET', 'zones')).body).toMatchObject({
    error: { code: 403, errors: [{ reason: 'accessNotConfigured' }], details: [{}, { reason: 'SERVICE_DISABLED' }] },
  });
});

test('lists come in pages, by filter and over all zones', async () => {
  for (const name of ['list-a', 'list-b', 'list-c'])
    await caller.done(await caller.insert(caller.machine(name, '', { labels: { set: 'list' } })));
  const filter = encodeURIComponent('(labels.set = list) AND (name != list-b)');
  const first = (await caller.call('GET', `zones/${zone}/instances?filter=${filter}&maxResults=1`)).body;
  const next = (
    await caller.call('GET', `zones/${zone}/instances?filter=${filter}&pageToken=${String(first['nextPageToken'])}`)
  ).body;
  expect([first, next].map(({ items }) => (items as Json[]).map(({ name }) => name))).toEqual([['list-a'], ['list-c']]);
  const all = (await caller.call('GET', `aggregated/instances?filter=${encodeURIComponent('labels.set:*')}`)).body as {
    items: Record<string, Json>;
  };
  expect(all.items[`zones/${zone}`]?.['instances']).toHaveLength(3);
  expect(all.items['zones/us-central1-b']).toMatchObject({ warning: { code: 'NO_RESULTS_ON_PAGE' } });
});

test('overload, broken backends and lost answers come as armed, and no more often', async () => {
  cloud.faults.answer({ method: 'compute.zones.list', times: 1 }, 429, { retryAfterSeconds: 7 });
  const refused = await caller.call('GET', 'zones');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '7']);
  expect((await caller.call('GET', 'zones')).status).toBe(200);
  cloud.faults.loseAnswer({ method: 'compute.instances.insert', times: 1 });
  await expect(caller.insert(caller.machine('seven'))).rejects.toThrow();
  expect((await caller.call('GET', `zones/${zone}/instances/seven`)).status).toBe(200);
  cloud.faults.loseCall({ method: 'compute.instances.insert', times: 1 });
  await expect(caller.insert(caller.machine('eight'))).rejects.toThrow();
  expect((await caller.call('GET', `zones/${zone}/instances/eight`)).status).toBe(404);
});

test('a disk that stays when its machine goes can be deleted by itself', async () => {
  cloud.faults.leaveDisk('leaves');
  await caller.done(await caller.insert(caller.machine('leaves')));
  expect((await caller.call('DELETE', `zones/${zone}/disks/leaves`)).body).toMatchObject({
    error: { errors: [{ reason: 'resourceInUseByAnotherResource' }] },
  });
  await caller.done(await caller.call('DELETE', `zones/${zone}/instances/leaves`));
  expect((await caller.call('GET', `zones/${zone}/disks/leaves`)).status).toBe(200);
  await caller.done(await caller.call('DELETE', `zones/${zone}/disks/leaves`));
  expect((await caller.call('GET', `zones/${zone}/disks/leaves`)).status).toBe(404);
});
