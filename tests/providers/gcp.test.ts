import { createGcpProvider } from '../../src/providers/gcp/provider.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { startGcpEmulator } from '../emulators/gcp/emulator.ts';
import { describeProvider, type Subject } from './contract.ts';
import { requestOf } from './gcp/requests.ts';

/** Google's own clients on an emulator, whose machines are records here: what runs on them is none of the provider's business. */
async function openGcp(): Promise<Subject> {
  const cloud = await startGcpEmulator({ machines: 'records' });
  const errors: unknown[] = [];
  const opened: Provider[] = [];
  const open = async (): Promise<Provider> => {
    const provider = await createGcpProvider({
      settings: {
        projectId: cloud.project,
        regions: ['us-central1'],
        network: 'default',
        apiEndpoint: cloud.url,
        keyFile: cloud.env.GOOGLE_APPLICATION_CREDENTIALS,
      },
      installation: 'inl_a',
      prices: () => Promise.resolve([]),
      runner: () => Promise.resolve({ url: 'https://storage.example.org/runner', sha256: 'a'.repeat(64) }),
      onError: (error) => errors.push(error),
    });
    opened.push(provider);
    return provider;
  };
  return {
    provider: await open(),
    request: (name) => requestOf({ name }),
    reopen: open,
    count: (name) => Promise.resolve(cloud.instances.all().filter((instance) => instance.name === name).length),
    crash: (name) => cloud.evict(name, 0),
    close: async () => {
      for (const provider of opened) await provider.close();
      await cloud.close();
      if (errors.length > 0) throw errors[0];
    },
  };
}

describeProvider('gcp', openGcp);
