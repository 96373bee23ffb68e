import { afterAll, describe, expect, test } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { guaranteeOf } from './contract.ts';
import { refusalOf, startGcpCloud } from './gcp-subject.ts';

const { cloud, open } = await startGcpCloud({ secondMs: 10 });
afterAll(() => cloud.close());

const guarantee = guaranteeOf(open);

describe('what Google does not make, not yet, or not at once', () => {
  guarantee(
    'sells nothing on demand that Google has as spot and flex-start alone, and Google makes what is sold',
    async ({ provider, request }) => {
      const marketsOf = async (of: typeof provider, type: string) =>
        new Set((await of.sellables()).filter(({ machineType }) => machineType === type).map(({ market }) => market));
      expect([...(await marketsOf(provider, 'a3-highgpu-1g'))]).toEqual(['spot']);
      expect([...(await marketsOf(provider, 'a3-ultragpu-8g'))]).toEqual(['spot']);
      expect((await marketsOf(provider, 'a3-highgpu-8g')).size).toBe(2);
      const one = { ...request('weir-a'), machineType: 'a3-highgpu-1g', accelerators: { kind: 'H100', count: 1 } };
      expect(await refusalOf(provider.create({ ...one, market: 'on-demand' }))).toMatchObject({ code: 'invalid' });
      const flex = await open({ flexStart: ['H100'] });
      expect((await marketsOf(flex.provider, 'a3-highgpu-1g')).size).toBe(2);
      const asked = { ...flex.request('weir-b'), machineType: one.machineType, accelerators: one.accelerators };
      expect(await flex.provider.create({ ...asked, market: 'on-demand' })).toBeInstanceOf(Date);
      await flex.close();
    },
  );

  guarantee('a disk type that a series does not take is not asked for', async ({ cloud: { disks } }) => {
    const subject = await open({ diskType: 'hyperdisk-balanced' });
    expect(await subject.provider.create(subject.request('weir-a'))).toBeInstanceOf(Date);
    expect(disks()[0]?.['type']).toMatch(/pd-balanced$/);
    await subject.close();
  });

  guarantee('what Google refuses of other requests is not told as one for a machine', async ({ provider }) => {
    const message = 'Invalid list filter expression.';
    cloud.faults.answer({ method: 'compute.instances.aggregatedList', times: 1 }, 400, { reason: 'invalid', message });
    await expect(provider.list()).rejects.toThrow(`Google Cloud does not do what weir asks of it: ${message}`);
  });

  guarantee('an operation that failed within Google is not the last word', async ({ provider, request, count }) => {
    const method = 'compute.instances.insert';
    const said = 'Internal error. Please try again or contact Google Support.';
    cloud.faults.failOperation({ method, times: 2 }, 'INTERNAL_ERROR', said, 500);
    for (let launch = 1; launch <= 2; launch += 1)
      expect(await refusalOf(provider.create(request('weir-a')))).toMatchObject({ code: 'unavailable' });
    expect(await provider.create(request('weir-a'))).toBeInstanceOf(Date);
    expect(await provider.create(request('weir-a'))).toBeInstanceOf(Date);
    expect(await count('weir-a')).toBe(1);
  });

  guarantee('what is wrong with the network of a region is that region’s', async ({ provider, request }) => {
    const method = 'compute.instances.insert';
    const subnetwork = 'projects/p/regions/us-central1/subnetworks/weir';
    const message = `Invalid value for field 'resource.networkInterfaces[0].subnetwork': '${subnetwork}'. The referenced subnetwork resource cannot be found.`;
    cloud.faults.answer({ method, times: 1 }, 400, { reason: 'invalid', message });
    expect(await refusalOf(provider.create(request('weir-a')))).toMatchObject({
      code: 'invalid',
      shortage: { cause: 'refused', of: { region: 'us-central1' } },
    });
    const full = `IP space of '${subnetwork}' is exhausted.`;
    cloud.faults.failOperation({ method, times: 1 }, 'IP_SPACE_EXHAUSTED_WITH_DETAILS', full, 403);
    expect(await refusalOf(provider.create(request('weir-b')))).toMatchObject({
      code: 'no-capacity',
      message: expect.stringContaining('us-central1 has no address left'),
      shortage: { cause: 'quota', of: { region: 'us-central1' } },
    });
  });

  guarantee('a quota of a GPU family names it, and holds for no other family', async ({ provider, request }) => {
    cloud.quotas.setLimit('us-central1', 'GPUS_PER_GPU_FAMILY:NVIDIA_H100', 0);
    const of = { machineType: 'a3-highgpu-8g', market: 'on-demand' } as const;
    const asked = { ...request('weir-a'), ...of, accelerators: { kind: 'H100', count: 8 } };
    expect(await refusalOf(provider.create(asked))).toMatchObject({
      message: expect.stringMatching(/^The quota GPUS_PER_GPU_FAMILY \(NVIDIA_H100\) of the project/),
      shortage: { cause: 'quota', of: { region: 'us-central1', ...of } },
    });
    cloud.quotas.setLimit('us-central1', 'GPUS_PER_GPU_FAMILY:NVIDIA_H100', 32);
  });

  test('a flex-start machine that waits is not there yet, whoever asks, and one that waited in vain is a stockout', async () => {
    const { provider, request, close } = await open({ flexStart: ['A100'], capacityWaitSeconds: 90 });
    const asked = { ...request('weir-a'), market: 'on-demand' } as const;
    cloud.faults.stockout({ zone: 'us-central1-a', forMs: 400 });
    const coming = provider.create(asked);
    await waitFor('the machine to wait', () => cloud.instances.all().some(({ name }) => name === asked.name));
    // Another worker asks with a runner URL of its own.
    const elsewhere = { ...asked, brokerUrl: 'https://other.example.org' };
    expect(await refusalOf(provider.create(elsewhere))).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('PENDING'),
    });
    const since = await coming;
    expect(since?.getTime()).toBe(cloud.instances.find(asked.name).runs[0]?.fromMs);
    expect(await provider.create(elsewhere)).toEqual(since);
    cloud.faults.stockout({ zone: 'us-central1-b' });
    expect(await refusalOf(provider.create({ ...asked, name: 'weir-b', zone: 'us-central1-b' }))).toMatchObject({
      code: 'no-capacity',
      shortage: { cause: 'stockout', of: { zone: 'us-central1-b', market: 'on-demand' } },
    });
    await close();
  });

  guarantee('the end of what is being made, or is going already, is asked for again later', async (subject) => {
    const { provider, request, count } = subject;
    const coming = provider.create(request('weir-a'));
    await waitFor('the machine to be made', () => cloud.instances.all().length > 0);
    await provider.destroy(request('weir-a'));
    await coming;
    await Promise.all([1, 2, 3].map(() => provider.destroy(request('weir-a'))));
    await waitFor('the machine to be gone', async () => (await count('weir-a')) === 0);
    const deletions = cloud.calls.filter(({ method }) => method === 'compute.instances.delete');
    expect(deletions.filter(({ status }) => status === 400).length).toBeGreaterThan(1);
  });
});
