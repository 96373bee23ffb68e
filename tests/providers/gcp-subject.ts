import { randomUUID } from 'node:crypto';
import { createGcpProvider } from '../../src/providers/gcp/provider.ts';
import type { GcpSettings } from '../../src/providers/gcp/settings.ts';
import type { InstanceRequest, PricedMachine, Provider } from '../../src/providers/provider.ts';
import { builtInCatalogue } from '../../src/quotes/price-list.ts';
import { startGcpEmulator, type GcpEmulator } from '../emulators/gcp/emulator.ts';
import { waitFor } from '../support/wait.ts';
import type { Subject } from './contract.ts';
import { requestOf } from './gcp/requests.ts';

export type GcpSubject = Subject & {
  cloud: GcpEmulator;
  /** What an operator was told. */
  told: unknown[];
};

const catalogue = async (): Promise<PricedMachine[]> =>
  [...builtInCatalogue.kinds, 'cpu'].flatMap((kind) => builtInCatalogue.offers(kind));

const runner = { url: 'https://storage.googleapis.com/weir/runner', sha256: 'a'.repeat(64) };

/** An emulator whose instances are records, and providers of installations of their own on it, one after the other. */
export async function startGcpCloud(): Promise<{
  cloud: GcpEmulator;
  open: (changes?: Partial<GcpSettings>) => Promise<GcpSubject>;
}> {
  const cloud = await startGcpEmulator({ machines: 'records' });
  const open = async (changes: Partial<GcpSettings> = {}): Promise<GcpSubject> => {
    const installation = `test-${randomUUID()}`;
    const opened: Provider[] = [];
    const told: unknown[] = [];
    const reopen = async () => {
      const provider = await createGcpProvider({
        settings: {
          projectId: cloud.project,
          regions: ['us-central1'],
          apiEndpoint: cloud.url,
          keyFile: cloud.env.GOOGLE_APPLICATION_CREDENTIALS,
          ...changes,
        },
        installation,
        prices: catalogue,
        runner: async () => runner,
        onError: (error) => told.push(error),
      });
      opened.push(provider);
      return provider;
    };
    const request = (name: string): InstanceRequest =>
      requestOf({ name, labels: { installation, tenant: 'tnt_a', job: 'job_a', attempt: 1 } });
    const ofName = (name: string) => cloud.instances.all().filter((instance) => instance.name === name);
    const provider = await reopen();
    return {
      cloud,
      told,
      provider,
      request,
      reopen,
      count: async (name) => ofName(name).length,
      crash: (name) => cloud.evict(name, 0),
      close: async () => {
        cloud.faults.clear();
        await waitFor('all machines to be gone', async () => {
          const last = opened.at(-1) ?? provider;
          const left = await last.list();
          for (const instance of left) await last.destroy(instance);
          return left.length === 0;
        });
        for (const each of opened) await each.close();
      },
    };
  };
  return { cloud, open };
}
