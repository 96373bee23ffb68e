import { describe, expect, test } from 'vitest';
import { waitFor } from '../support/wait.ts';
import type { InstanceRequest, Provider } from '../../src/providers/provider.ts';

/** A provider to test, on a place of its own that is removed with `close`. */
export type Subject = {
  provider: Provider;
  /** A request that this provider can serve. */
  request: (name: string) => InstanceRequest;
  /** The same place as seen by a weir that was started anew. */
  reopen: () => Promise<Provider>;
  /** How many machines of this name really exist, counted behind the provider's back. */
  count: (name: string) => Promise<number>;
  /** Ends the machine behind the provider's back, as a crash would. */
  crash: (name: string) => Promise<void>;
  close: () => Promise<void>;
};

/** Tests that each have a subject of their own. */
export function guaranteeOf<Of extends Pick<Subject, 'close'>>(open: () => Promise<Of>) {
  return (name: string, check: (subject: Of) => Promise<void>) =>
    test(name, async () => {
      const subject = await open();
      try {
        await check(subject);
      } finally {
        await subject.close();
      }
    });
}

/** What weir relies on with every provider. */
export function describeProvider(title: string, open: () => Promise<Subject>): void {
  const guarantee = guaranteeOf(open);
  const names = async (provider: Provider) => (await provider.list()).map(({ name }) => name);
  const destroyUntilGone = (provider: Provider, { name, zone }: { name: string; zone: string }) =>
    waitFor(`${name} to be gone`, async () => {
      await provider.destroy({ name, zone });
      return !(await names(provider)).includes(name);
    });

  describe(`the provider ${title}`, () => {
    guarantee('lists what it made, with its labels', async ({ provider, request }) => {
      const asked = request('weir-a-0');
      await provider.create(asked);
      expect(await provider.list()).toEqual([{ name: 'weir-a-0', zone: asked.zone, labels: asked.labels }]);
    });

    guarantee('makes one machine however often it is asked for', async ({ provider, request, count, reopen }) => {
      const other = await reopen();
      await provider.create(request('weir-a-0'));
      await Promise.all([
        provider.create(request('weir-a-0')),
        provider.create(request('weir-a-0')),
        other.create(request('weir-a-0')),
      ]);
      expect(await names(provider)).toEqual(['weir-a-0']);
      expect(await count('weir-a-0')).toBe(1);
    });

    guarantee('ends the machine that is named and no other', async ({ provider, request, count }) => {
      await provider.create(request('weir-a-0'));
      await provider.create(request('weir-b-0'));
      await destroyUntilGone(provider, request('weir-a-0'));
      expect(await names(provider)).toEqual(['weir-b-0']);
      expect(await count('weir-a-0')).toBe(0);
      expect(await count('weir-b-0')).toBe(1);
    });

    guarantee('takes the end of what is gone, or never was, as done', async ({ provider, request }) => {
      await provider.destroy({ name: 'weir-never-0', zone: request('weir-never-0').zone });
      await provider.create(request('weir-a-0'));
      await destroyUntilGone(provider, request('weir-a-0'));
      await provider.destroy({ name: 'weir-a-0', zone: request('weir-a-0').zone });
    });

    guarantee('knows its machines and their labels after a restart', async ({ provider, request, reopen }) => {
      const asked = request('weir-a-0');
      await provider.create(asked);
      await provider.close();
      const next = await reopen();
      expect(await next.list()).toEqual([{ name: 'weir-a-0', zone: asked.zone, labels: asked.labels }]);
      await destroyUntilGone(next, asked);
    });

    guarantee('no longer lists a machine that has ended by itself', async ({ provider, request, crash }) => {
      await provider.create(request('weir-a-0'));
      await crash('weir-a-0');
      await waitFor('the crash to show', async () => (await names(provider)).length === 0);
    });

    guarantee('sells only what it has', async ({ provider }) => {
      const capacity = await provider.capacity();
      for (const sellable of await provider.sellables()) {
        expect(sellable.microUsdPerHour).toBeGreaterThanOrEqual(0);
        expect(sellable.cpus).toBeLessThanOrEqual(capacity?.cpus ?? Infinity);
        expect(sellable.memoryBytes).toBeLessThanOrEqual(capacity?.memoryBytes ?? Infinity);
      }
    });
  });
}
