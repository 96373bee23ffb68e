import { afterAll, describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/config.ts';
import { waitFor } from '../support/wait.ts';
import { describeProvider, guaranteeOf } from './contract.ts';
import { refusalOf, startGcpCloud } from './gcp-subject.ts';

const { cloud, open } = await startGcpCloud();
afterAll(() => cloud.close());

describeProvider('gcp', open);

const guarantee = guaranteeOf(open);

const callsOf = (method: string) => cloud.calls.filter((call) => call.method === method);

describe('the provider gcp', () => {
  guarantee('sells what each zone has, at the catalogue’s price, in both markets', async ({ provider }) => {
    const sold = await provider.sellables();
    const ofA100 = sold.filter(({ machineType }) => machineType === 'a2-highgpu-1g');
    expect(ofA100.map(({ zone, market }) => `${zone} ${market}`).toSorted()).toEqual(
      ['a', 'b', 'c', 'f'].flatMap((zone) => [`us-central1-${zone} on-demand`, `us-central1-${zone} spot`]),
    );
    expect(ofA100[0]?.microUsdPerHour).toBeGreaterThan(1e6);
    const zonesOf = (type: string) =>
      new Set(sold.filter(({ machineType }) => machineType === type).map(({ zone }) => zone));
    // Zone f has no L4, but takes a T4 beside an N1.
    expect([...zonesOf('g2-standard-4')]).not.toContain('us-central1-f');
    expect([...zonesOf('n1-standard-4+1xT4')]).toContain('us-central1-f');
  });

  guarantee(
    'the end of a machine that is gone is known to within its notice, and of one that is off where it is listed',
    async ({ provider, request }) => {
      const ranUntil = (name: string) => cloud.instances.find(name).runs.at(-1)?.toMs ?? 0;
      await provider.create(request('weir-gone'));
      await cloud.evict('weir-gone', 0);
      const ended = await provider.endedAt?.(request('weir-gone'));
      expect(Math.abs((ended?.getTime() ?? 0) - ranUntil('weir-gone'))).toBeLessThan(1_000);
      await provider.create(request('weir-off'));
      await cloud.breakDown('weir-off');
      const [off] = await provider.list();
      expect(Math.abs((off?.stoppedAt?.getTime() ?? 0) - ranUntil('weir-off'))).toBeLessThan(1_000);
      expect(await provider.endedAt?.({ name: 'weir-never', zone: 'us-central1-a' })).toBeUndefined();
    },
  );

  guarantee('a stockout says where the answer names some, and for what it holds', async ({ provider, request }) => {
    cloud.faults.stockout({ zone: 'us-central1-a', zonesAvailable: ['us-central1-c', 'us-central1-f'] });
    expect(await refusalOf(provider.create(request('weir-a')))).toEqual({
      code: 'no-capacity',
      message: 'us-central1-a has no spot a2-highgpu-1g now. Google names us-central1-c, us-central1-f instead.',
      shortage: {
        cause: 'stockout',
        of: { region: 'us-central1', zone: 'us-central1-a', machineType: 'a2-highgpu-1g', market: 'spot' },
        message: expect.any(String),
        zonesAvailable: ['us-central1-c', 'us-central1-f'],
      },
    });
    expect(await provider.list()).toEqual([]);
  });

  guarantee('a quota that is used up says which, where, and who raises it', async ({ provider, request }) => {
    cloud.quotas.setLimit('us-central1', 'PREEMPTIBLE_NVIDIA_A100_GPUS', 1);
    await provider.create(request('weir-first'));
    const refusal = await refusalOf(provider.create(request('weir-a')));
    cloud.quotas.setLimit('us-central1', 'PREEMPTIBLE_NVIDIA_A100_GPUS', 32);
    expect(refusal).toMatchObject({
      code: 'no-capacity',
      shortage: { cause: 'quota', of: { region: 'us-central1', kind: 'A100', market: 'spot' } },
    });
    expect(refusal?.message).toMatch(
      /^The quota PREEMPTIBLE_NVIDIA_A100_GPUS of the project weir-emulated in us-central1 is used up \(limit 1\)\. An operator asks for more at https:\/\/console\.cloud\.google\.com\/iam-admin\/quotas\?project=weir-emulated/,
    );
  });

  guarantee(
    'reads what the account may have, and says of which machines it can’t',
    async ({ provider, request, told }) => {
      await provider.create({ ...request('weir-a'), market: 'on-demand' });
      const reading = await provider.quotas?.();
      const of = (metric: string) => reading?.quotas.find((quota) => quota.metric === metric);
      expect(of('NVIDIA_A100_GPUS')).toMatchObject({
        region: 'us-central1',
        kind: 'A100',
        unit: 'GPUs',
        limit: 32,
        used: 1,
        raiseAt: expect.stringMatching(
          /^https:\/\/console\.cloud\.google\.com\/iam-admin\/quotas\?project=weir-emulated/,
        ),
      });
      const amounts = (metric: string, market: string) =>
        Object.fromEntries(
          (of(metric)?.takes ?? []).flatMap((each) =>
            each.market === market ? [[each.machineType, each.amount]] : [],
          ),
        );
      expect(amounts('NVIDIA_A100_GPUS', 'on-demand')).toMatchObject({ 'a2-highgpu-1g': 1, 'a2-megagpu-16g': 16 });
      expect(amounts('NVIDIA_A100_GPUS', 'spot')).toEqual({});
      expect(amounts('A2_CPUS', 'on-demand')['a2-highgpu-1g']).toBe(12);
      expect(amounts('PREEMPTIBLE_CPUS', 'spot')).toMatchObject({ 'n1-standard-4+1xT4': 4, 'a2-highgpu-1g': 12 });
      expect(of('GPUS_ALL_REGIONS')).toMatchObject({ limit: 64, used: 1 });
      expect(of('GPUS_ALL_REGIONS')?.region).toBeUndefined();
      expect(amounts('GPUS_ALL_REGIONS', 'on-demand')).toMatchObject({ 'a3-highgpu-8g': 8, 'g2-standard-24': 2 });
      expect(amounts('PREEMPTIBLE_NVIDIA_H100_GPUS', 'spot')).toHaveProperty('a3-highgpu-8g', 8);
      // Newer kinds count where Compute Engine does not show it.
      expect(reading?.unknown.map(({ of: { kind, market } }) => `${kind} ${market}`)).toEqual(
        expect.arrayContaining(['H100 on-demand', 'H200 on-demand', 'H200 spot']),
      );
      expect(told).toEqual([]);
    },
  );

  guarantee(
    'without a preemptible quota spot machines count against the standard one',
    async ({ provider, request }) => {
      cloud.quotas.setLimit('us-central1', 'PREEMPTIBLE_NVIDIA_A100_GPUS', 0);
      await provider.create(request('weir-a'));
      const reading = await provider.quotas?.();
      cloud.quotas.setLimit('us-central1', 'PREEMPTIBLE_NVIDIA_A100_GPUS', 32);
      const standard = reading?.quotas.find(({ metric }) => metric === 'NVIDIA_A100_GPUS');
      expect(standard?.used).toBe(1);
      expect(standard?.takes).toContainEqual({ machineType: 'a2-highgpu-1g', market: 'spot', amount: 1 });
      expect(reading?.quotas.map(({ metric }) => metric)).not.toContain('PREEMPTIBLE_NVIDIA_A100_GPUS');
    },
  );

  guarantee(
    'without leave to read quotas they are unknown, and an operator is told once',
    async ({ provider, told }) => {
      cloud.permissions.revoke('compute.regions.get');
      const [first] = [await provider.quotas?.(), await provider.quotas?.()];
      cloud.permissions.restore('compute.regions.get');
      expect(first?.quotas).toEqual([]);
      expect(first?.unknown).toMatchObject([
        { of: { region: 'us-central1' }, message: expect.stringContaining('grants') },
      ]);
      expect(told).toEqual([expect.objectContaining({ code: 'invalid', message: first?.unknown[0]?.message })]);
      expect((await provider.quotas?.())?.quotas).not.toEqual([]);
    },
  );

  guarantee('quotas that Google does not tell now are worth asking for again', async ({ provider, told }) => {
    cloud.faults.answer({ method: 'compute.regions.get' }, 503);
    await expect(provider.quotas?.()).rejects.toMatchObject({ code: 'unavailable' });
    expect(told).toEqual([]);
  });

  guarantee(
    'a permission taken away says that an operator has to act, and is asked once',
    async ({ provider, request }) => {
      cloud.permissions.revoke('compute.instances.create');
      const before = callsOf('compute.instances.insert').length;
      const refusal = await refusalOf(provider.create(request('weir-a')));
      cloud.permissions.restore('compute.instances.create');
      expect(refusal).toMatchObject({ code: 'invalid', shortage: { cause: 'refused', of: {} } });
      expect(refusal?.message).toContain('An operator grants its service account the role');
      expect(callsOf('compute.instances.insert').length - before).toBe(1);
    },
  );

  guarantee('an API that is not enabled says what to run', async ({ provider, request }) => {
    cloud.faults.disableApi('compute');
    const refusal = await refusalOf(provider.create(request('weir-a')));
    cloud.faults.enableApi('compute');
    expect(refusal).toMatchObject({ code: 'invalid', shortage: { cause: 'refused' } });
    expect(refusal?.message).toContain('gcloud services enable compute.googleapis.com --project weir-emulated');
  });

  guarantee('a machine type that the zone lacks is a matter of that zone', async ({ provider, request }) => {
    const asked = { ...request('weir-a'), zone: 'us-central1-f', machineType: 'a3-highgpu-8g' };
    expect(await refusalOf(provider.create(asked))).toMatchObject({
      code: 'invalid',
      shortage: { cause: 'refused', of: { zone: 'us-central1-f', machineType: 'a3-highgpu-8g' } },
    });
  });

  guarantee(
    'an answer that is lost, and calls that come too often, cost a repeat and no second machine',
    async (subject) => {
      const { provider, request, count } = subject;
      cloud.faults.loseAnswer({ method: 'compute.instances.insert', times: 1 });
      cloud.faults.answer({ method: 'compute.zoneOperations.wait', times: 1 }, 503, { retryAfterSeconds: 1 });
      const since = await provider.create(request('weir-a'));
      expect(since).toBeInstanceOf(Date);
      expect(await count('weir-a')).toBe(1);
    },
  );

  guarantee('what fails again and again is worth a later repeat', async ({ provider, request }) => {
    cloud.faults.answer({ method: 'compute.instances.insert' }, 503);
    expect(await refusalOf(provider.create(request('weir-a')))).toMatchObject({ code: 'unavailable' });
  });

  guarantee('a disk that outlives its machine is seen, and taken away', async ({ provider, request, count }) => {
    cloud.faults.leaveDisk('weir-left');
    await provider.create(request('weir-left'));
    await provider.destroy(request('weir-left'));
    await waitFor('the machine to be gone', async () => (await count('weir-left')) === 0);
    expect((await provider.list()).map(({ name }) => name)).toEqual(['weir-left']);
    await waitFor('the disk to be gone', async () => {
      await provider.destroy(request('weir-left'));
      return (await provider.list()).length === 0;
    });
    expect(cloud.disks()).toEqual([]);
  });

  guarantee('lists more machines than fit on a page', async ({ provider, request }) => {
    const names = Array.from({ length: 12 }, (_, index) => `weir-${index}`);
    await Promise.all(
      names.map((name, index) =>
        provider.create({
          ...request(name),
          zone: `us-central1-${'abcf'[index % 4]}`,
          market: index % 2 ? 'spot' : 'on-demand',
        }),
      ),
    );
    expect((await provider.list()).map(({ name }) => name).toSorted()).toEqual(names.toSorted());
  });

  guarantee('a zone that does not answer keeps what it has unknown, where machines may be in it', async (subject) => {
    const { provider, request } = subject;
    await provider.create(request('weir-seen'));
    cloud.instances.unreachable.add('asia-southeast1-c');
    expect(await provider.list()).toHaveLength(1);
    cloud.instances.unreachable.add('us-central1-f');
    await expect(provider.list()).rejects.toMatchObject({ code: 'unavailable' });
    const narrow = await open({ zones: ['us-central1-a'] });
    expect(await narrow.provider.list()).toEqual([]);
    await narrow.close();
    cloud.instances.unreachable.clear();
  });

  test('a region that does not exist is a fault of the configuration', async () => {
    const opening = open({ regions: ['us-central1', 'us-centrum1'], zones: ['us-central1-z'] });
    await expect(opening).rejects.toThrow(ConfigError);
    await expect(opening).rejects.toThrow(/regions\.1 is us-centrum1.*\n.*zones\.0 is us-central1-z/);
  });

  test('credentials that are not taken are told at the start, nothing is sold, and nothing else breaks', async () => {
    const subject = await open({ keyFile: '/nowhere/key.json' });
    expect(subject.told).toEqual([
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining('credentials') }),
    ]);
    expect(await subject.provider.sellables()).toEqual([]);
    await expect(subject.provider.list()).rejects.toThrow();
    await subject.provider.close();
  });
});
