import { setTimeout as sleep } from 'node:timers/promises';
import type {
  AcceleratorTypesClient,
  DisksClient,
  InstancesClient,
  MachineTypesClient,
  ProjectsClient,
  RegionsClient,
  ZoneOperationsClient,
  ZonesClient,
} from '@google-cloud/compute';
import type { v2 } from '@google-cloud/tpu';
import type { GoogleAuth } from 'google-auth-library';
import { openGoogleAuth } from '../google-auth.ts';
import type { GcpSettings } from './settings.ts';

/** Google's own clients of all that is asked of it, with one way to show who asks. */
export type Clients = {
  instances: InstancesClient;
  disks: DisksClient;
  zones: ZonesClient;
  regions: RegionsClient;
  projects: ProjectsClient;
  machineTypes: MachineTypesClient;
  acceleratorTypes: AcceleratorTypesClient;
  zoneOperations: ZoneOperationsClient;
  /** Loaded by the first who asks: it takes its time, and many installations buy no TPUs. */
  tpu: () => Promise<v2.TpuClient>;
  close: () => Promise<void>;
};

type TpuOptions = ConstructorParameters<typeof v2.TpuClient>[0];

const scopes = ['https://www.googleapis.com/auth/cloud-platform'];

/** Credentials of the environment: a key file, a user's login, impersonation, workload identity, or the machine's own account. */
export async function openClients(settings: GcpSettings): Promise<Clients> {
  const [compute, auth] = await Promise.all([import('@google-cloud/compute'), openAuth(settings)]);
  // The clients leave a rejection behind that nobody handles, where credentials can't be read.
  await auth.getClient();
  const options = { ...endpointOf(settings), fallback: 'rest' as const, projectId: settings.projectId, auth };
  const opened: { close: () => Promise<void> }[] = [];
  const keep = <Client extends { close: () => Promise<void> }>(client: Client): Client => {
    opened.push(client);
    return client;
  };
  let tpu: Promise<v2.TpuClient> | undefined;
  const openTpu = async () => {
    const { v2 } = await import('@google-cloud/tpu');
    return keep(new v2.TpuClient({ ...options, auth: olderAuthOf(auth) } as unknown as TpuOptions));
  };
  return {
    instances: keep(new compute.InstancesClient(options)),
    disks: keep(new compute.DisksClient(options)),
    zones: keep(new compute.ZonesClient(options)),
    regions: keep(new compute.RegionsClient(options)),
    projects: keep(new compute.ProjectsClient(options)),
    machineTypes: keep(new compute.MachineTypesClient(options)),
    acceleratorTypes: keep(new compute.AcceleratorTypesClient(options)),
    zoneOperations: keep(new compute.ZoneOperationsClient(options)),
    tpu: () => (tpu ??= openTpu()),
    close: async () => {
      await Promise.all(opened.map((client) => client.close()));
    },
  };
}

/**
 * As the client of Cloud TPU takes it, which carries an older library: that one spreads what it gets into an object, and of today's
 * `Headers` nothing is left, so that it would ask without any credentials.
 */
function olderAuthOf(auth: GoogleAuth) {
  return { getRequestHeaders: async () => Object.fromEntries(await auth.getRequestHeaders()) };
}

async function openAuth({ projectId, keyFile, apiEndpoint }: GcpSettings): Promise<GoogleAuth> {
  const { GoogleAuth, PassThroughClient } = await import('google-auth-library');
  const isEmulator = apiEndpoint !== undefined && keyFile === undefined;
  const auth = isEmulator
    ? new GoogleAuth({ authClient: new PassThroughClient(), projectId })
    : await openGoogleAuth({ keyFile, projectId, scopes });
  const ask = auth.fetch.bind(auth);
  auth.fetch = async (...args: Parameters<typeof ask>) => {
    const response = await ask(...args);
    await restAsTold(response.headers.get('retry-after'));
    return response as never;
  };
  return auth;
}

/** Nobody waits longer than this for one answer; what is still refused then is asked again by the queue. */
const longestRestMs = 10_000;

/** The clients keep to themselves when they are told to come again; whoever asks again asks not before that. */
async function restAsTold(retryAfter: string | null): Promise<void> {
  if (retryAfter === null) return;
  const seconds = Number(retryAfter);
  const ms = Number.isNaN(seconds) ? Date.parse(retryAfter) - Date.now() : seconds * 1000;
  if (ms > 0) await sleep(Math.min(ms, longestRestMs));
}

function endpointOf({ apiEndpoint }: GcpSettings) {
  if (apiEndpoint === undefined) return {};
  const { protocol, hostname, port } = new URL(apiEndpoint);
  const isTls = protocol === 'https:';
  return {
    apiEndpoint: hostname,
    port: Number(port === '' ? (isTls ? 443 : 80) : port),
    protocol: isTls ? 'https' : 'http',
  };
}
