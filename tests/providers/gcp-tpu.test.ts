import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { InstanceRequest } from '../../src/providers/provider.ts';
import { waitFor } from '../support/wait.ts';
import { describeProvider } from './contract.ts';
import { refusalOf, startGcpCloud, type GcpSubject } from './gcp-subject.ts';

const { cloud, openWithTpus: open } = await startGcpCloud({ secondMs: 5 });
afterAll(() => cloud.close());

describeProvider('gcp with TPU slices', open);

const callsOf = (method: string) =>
  cloud.calls.filter((call) => call.method === `tpu.projects.locations.${method}`).length;

const cpus = { kind: 'cpu', count: 4 };

/** The request for one host of a slice that has two. */
const hostOf = ({ request }: GcpSubject, slice: string, node: number): InstanceRequest => ({
  ...request(`${slice}-${node}`),
  zone: 'us-central1-a',
  machineType: 'v5p-16',
  accelerators: { kind: 'v5p', count: 4 },
  gang: { node, bootstrapTokens: ['t0', 't1'] },
});

describe('the provider gcp, of TPU slices,', () => {
  let subject: GcpSubject;
  beforeAll(async () => void (subject = await open()));
  afterEach(async () => {
    cloud.faults.clear();
    await waitFor('all slices to be gone', async () => {
      for (const instance of await subject.provider.list()) await subject.provider.destroy(instance);
      return cloud.slices.all().length === 0;
    });
  });
  afterAll(() => subject?.close());
  const guarantee = (name: string, check: (subject: GcpSubject) => Promise<void>) => test(name, () => check(subject));

  guarantee('sells what each zone has; a zone without TPUs is no fault', async ({ provider, told }) => {
    const slices = (await provider.sellables()).filter(({ hosts }) => hosts !== undefined);
    const zonesOf = (type: string) =>
      slices.filter(({ machineType, market }) => machineType === type && market === 'spot').map(({ zone }) => zone);
    expect(zonesOf('v2-32')).toEqual(['us-central1-b', 'us-central1-c']);
    expect(zonesOf('v5p-16')).toEqual(['us-central1-a']);
    expect(slices.find(({ machineType }) => machineType === 'v5p-16')).toMatchObject({
      hosts: 2,
      accelerators: { kind: 'v5p', count: 4 },
    });
    expect(told).toEqual([]);
  });

  guarantee('asks once for all hosts of a slice, and is charged from when it is ready', async (subject) => {
    const { provider } = subject;
    const before = callsOf('queuedResources.create');
    const since = await Promise.all([0, 1].map((node) => provider.create(hostOf(subject, 'weir-pair-1', node))));
    expect(callsOf('queuedResources.create') - before).toBe(1);
    const [run] = cloud.slices.find('weir-pair-1').runs;
    for (const each of since) expect(each?.getTime()).toBeGreaterThanOrEqual(run?.fromMs ?? Infinity);
    expect((await provider.list()).map(({ name }) => name)).toEqual(['weir-pair-1-0', 'weir-pair-1-1']);
    // One launch later, as after a crash: the node says when it was made.
    const again = await provider.create(hostOf(subject, 'weir-pair-1', 1));
    expect(again?.getTime()).toBeLessThanOrEqual(run?.fromMs ?? 0);
  });

  guarantee('a zone without capacity is a stockout, at once or when the request is over', async (subject) => {
    const { provider } = subject;
    for (const [index, form] of (['text', 'details'] as const).entries()) {
      cloud.faults.stockout({ zone: 'us-central1-b', times: 1, form });
      const asked = subject.request(`weir-short-${index + 1}-0`);
      expect(await refusalOf(provider.create(asked))).toMatchObject({
        code: 'no-capacity',
        message: 'us-central1-b has no spot v2-8 now.',
        shortage: { cause: 'stockout', of: { zone: 'us-central1-b', machineType: 'v2-8', market: 'spot' } },
      });
      // What failed stays in the project until it is deleted.
      expect((await provider.list()).map(({ name }) => name)).toEqual([asked.name]);
      await provider.destroy(asked);
      await waitFor('the request to be gone', async () => (await provider.list()).length === 0);
    }
    expect(cloud.slices.all()).toEqual([]);
  });

  guarantee('waits for capacity that comes in time', async ({ provider, request }) => {
    cloud.faults.stockout({ zone: 'us-central1-b', times: 1, forMs: 50 });
    expect(await provider.create(request('weir-late-1-0'))).toBeInstanceOf(Date);
  });

  guarantee('a quota that is used up says which, where, and who raises it', async ({ provider, request }) => {
    const name = 'TPUV2sPreemptiblePerProjectPerZoneForTPUAPI';
    cloud.slices.quotas.setLimit(name, 'us-central1-b', 8);
    await provider.create(request('weir-first-1-0'));
    const refusal = await refusalOf(provider.create(request('weir-second-1-0')));
    cloud.slices.quotas.setLimit(name, 'us-central1-b', Infinity);
    expect(refusal).toMatchObject({
      code: 'no-capacity',
      shortage: { cause: 'quota', of: { region: 'us-central1', kind: 'v2', market: 'spot' } },
    });
    expect(refusal?.message).toMatch(
      `The quota ${name} of the project weir-emulated in us-central1 is used up (limit 8).`,
    );
  });

  guarantee('a slice that the zone lacks is a matter of that zone', async ({ provider, request }) => {
    const asked = { ...request('weir-a-0'), zone: 'us-central1-c', machineType: 'v5p-16' };
    expect(await refusalOf(provider.create(asked))).toMatchObject({
      code: 'invalid',
      shortage: { cause: 'refused', of: { zone: 'us-central1-c', machineType: 'v5p-16' } },
    });
  });

  guarantee(
    'an API that is not enabled says what to run, a permission what to grant',
    async ({ provider, request }) => {
      cloud.faults.disableApi('tpu');
      const disabled = await refusalOf(provider.create(request('weir-a-0')));
      await expect(provider.list()).rejects.toThrow('gcloud services enable tpu.googleapis.com');
      cloud.faults.enableApi('tpu');
      expect(disabled?.message).toContain('gcloud services enable tpu.googleapis.com --project weir-emulated');
      cloud.permissions.revoke('tpu.nodes.create');
      const refused = await refusalOf(provider.create(request('weir-a-0')));
      cloud.permissions.restore('tpu.nodes.create');
      expect(refused).toMatchObject({ code: 'invalid', shortage: { cause: 'refused', of: {} } });
      expect(refused?.message).toContain('An operator grants its service account the role');
    },
  );

  guarantee('a slice that can’t be made says why, though it never appears', async ({ provider, request }) => {
    const method = 'tpu.projects.locations.queuedResources.create';
    const said = "Permission 'iam.serviceaccounts.actAs' denied on service account weir-machine";
    cloud.faults.failOperation({ method, times: 1 }, '', said, 7);
    const refused = await refusalOf(provider.create(request('weir-not-ours-0')));
    expect(refused).toMatchObject({ code: 'invalid', message: expect.stringContaining(said) });
    cloud.faults.failOperation({ method, times: 1 }, '', 'Internal error.', 13);
    expect(await refusalOf(provider.create(request('weir-b-0')))).toMatchObject({ code: 'unavailable' });
    expect(await provider.create(request('weir-b-0'))).toBeInstanceOf(Date);
  });

  guarantee(
    'an answer that is lost, and calls that come too often, cost a repeat and no second slice',
    async (subject) => {
      const { provider, request, count } = subject;
      cloud.faults.loseAnswer({ method: 'tpu.projects.locations.queuedResources.create', times: 1 });
      cloud.faults.answer({ method: 'tpu.projects.locations.queuedResources.get', times: 1 }, 429);
      cloud.faults.answer({ method: 'tpu.projects.locations.queuedResources.list', times: 1 }, 503);
      expect(await provider.create(request('weir-a-0'))).toBeInstanceOf(Date);
      expect(await provider.list()).toHaveLength(1);
      expect(await count('weir-a-0')).toBe(1);
    },
  );

  guarantee('a slice that was taken away leaves nothing, not even its request', async (subject) => {
    const { provider } = subject;
    await Promise.all([0, 1].map((node) => provider.create(hostOf(subject, 'weir-taken-1', node))));
    await cloud.slices.evict('weir-taken-1', 0);
    expect(await provider.list()).toEqual([]);
    await waitFor('the request to be gone', () => cloud.slices.all().length === 0);
  });

  guarantee('a slice that is taken away while it comes up is a stockout', async ({ provider, request }) => {
    const method = 'tpu.projects.locations.queuedResources.create';
    cloud.faults.interrupt({ method }, 'after', () => cloud.slices.evict('weir-brief-1', 0));
    expect(await refusalOf(provider.create(request('weir-brief-1-0')))).toMatchObject({ code: 'no-capacity' });
  });

  guarantee(
    'what was a plain machine ends in a zone without TPUs, whether or not it is said to be one',
    async (subject) => {
      const { provider, request } = subject;
      const machineType = 'e2-standard-4';
      const plain = { ...request('weir-plain-1-0'), zone: 'us-central1-f', machineType, accelerators: cpus };
      for (const said of [{ machineType }, {}]) {
        await provider.create(plain);
        const asked = callsOf('queuedResources.delete');
        await provider.destroy({ name: plain.name, zone: plain.zone, ...said });
        // Which of the two it was is known from its type: the other service is not asked.
        expect(callsOf('queuedResources.delete') - asked).toBe('machineType' in said ? 0 : 1);
        await waitFor('the machine to be gone', async () => (await provider.list()).length === 0);
      }
    },
  );

  guarantee('a zone that can’t be reached leaves all unknown, not gone', async ({ provider, request }) => {
    await provider.create(request('weir-far-1-0'));
    cloud.slices.unreachable.add('us-central1-b');
    await expect(provider.list()).rejects.toMatchObject({ code: 'unavailable', message: /us-central1-b/ });
    cloud.slices.unreachable.clear();
    expect(await provider.list()).toHaveLength(1);
  });
});
