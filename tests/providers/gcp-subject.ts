import { randomUUID } from 'node:crypto';
import type { WeirError } from '../../src/core/errors.ts';
import { createGcpProvider } from '../../src/providers/gcp/provider.ts';
import { sliceIdOf } from '../../src/providers/gcp/slice-body.ts';
import type { GcpSettings } from '../../src/providers/gcp/settings.ts';
import type { InstanceRequest, PricedMachine, Provider } from '../../src/providers/provider.ts';
import { builtInCatalogue } from '../../src/quotes/price-list.ts';
import { startGcpEmulator, type GcpEmulator, type GcpEmulatorOptions } from '../emulators/gcp/emulator.ts';
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

/** What is asked for, and how it is seen behind the provider's back. */
type Kind = {
  request: Partial<InstanceRequest>;
  count: (cloud: GcpEmulator, name: string) => number;
  crash: (cloud: GcpEmulator, name: string) => Promise<void>;
};

const machine: Kind = {
  request: {},
  count: (cloud, name) => cloud.instances.all().filter((instance) => instance.name === name).length,
  crash: (cloud, name) => cloud.evict(name, 0),
};

/** A slice of one host, which has the slice's name and a number. */
const slice: Kind = {
  request: { zone: 'us-central1-b', machineType: 'v2-8', accelerators: { kind: 'v2', count: 4 } },
  count: (cloud, name) => cloud.slices.all().filter(({ id, node }) => id === sliceIdOf(name) && node).length,
  crash: (cloud, name) => cloud.slices.evict(sliceIdOf(name), 0),
};

/** What became of asking for a machine that there is none of. */
export const refusalOf = (asked: Promise<unknown>) =>
  asked.then(
    () => undefined,
    (error: WeirError) => ({ code: error.code, message: error.message, shortage: error.extra['shortage'] }),
  );

/** An emulator whose machines are records, and providers of installations of their own on it, one after the other. */
export async function startGcpCloud(timing: GcpEmulatorOptions['timing'] = {}): Promise<{
  cloud: GcpEmulator;
  open: (changes?: Partial<GcpSettings>) => Promise<GcpSubject>;
  openWithTpus: (changes?: Partial<GcpSettings>) => Promise<GcpSubject>;
}> {
  // Google's clients take their time to load, which is no test's.
  await Promise.all([import('@google-cloud/compute'), import('@google-cloud/tpu')]);
  const cloud = await startGcpEmulator({ machines: 'records', timing });
  const openFor =
    (kind: Kind) =>
    async (changes: Partial<GcpSettings> = {}): Promise<GcpSubject> => {
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
        requestOf({ ...kind.request, name, labels: { installation, tenant: 'tnt_a', job: 'job_a', attempt: 1 } });
      const provider = await reopen();
      return {
        cloud,
        told,
        provider,
        request,
        reopen,
        count: async (name) => kind.count(cloud, name),
        crash: (name) => kind.crash(cloud, name),
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
  const openWithTpus = openFor(slice);
  return {
    cloud,
    open: openFor(machine),
    openWithTpus: (changes) => openWithTpus({ kinds: ['v2', 'v5p'], ...changes }),
  };
}
