/**
 * Google Cloud as weir sees it: the REST surface of Compute Engine v1 and Cloud TPU v2 that Google's own client libraries
 * speak, on a port of this machine. Paths, parameters and messages come from Google's discovery documents (discovery/), and
 * every answer is checked against them. An instance is a process tree in a directory of its own that runs the startup-script
 * of its metadata. It has a network namespace of its own with a metadata server at 169.254.169.254, or, where this process may not
 * make one (`networkObstacle` says why), this host's network and a metadata server at `GCE_METADATA_HOST`. It has
 * `STATE_DIRECTORY`, `HOME` and `TMPDIR` below its directory, and `shutdown` on its PATH ends it.
 *
 *     const cloud = await startGcpEmulator({ timing: { bootMs: 0 } });
 *     // { ...cloud.env } has GOOGLE_APPLICATION_CREDENTIALS (workload identity; cloud.keyPath is a key) and GOOGLE_CLOUD_PROJECT;
 *     // the clients take { apiEndpoint: '127.0.0.1', port, protocol: 'http', fallback: 'rest' } of cloud.url.
 *     cloud.faults.stockout({ zone: 'us-central1-a', zonesAvailable: ['us-central1-b'] });
 *     await cloud.evict('weir-…');                     // 30 s of notice at most, as for a Spot VM
 *     cloud.calls; cloud.runningSeconds('weir-…');     // its own record, to compare ours with
 *     await cloud.close();                             // ends all machines; throws where an answer broke Google's schemas
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCatalogue } from './catalogue.ts';
import type { Json } from './messages.ts';
import { createFaults, type Faults } from './faults.ts';
import { createInstances, type Instances } from './instances.ts';
import type { Guest, MachineEnv } from './guest.ts';
import { openNetwork } from './network.ts';
import { createOperations } from './operations.ts';
import { createPermissions, type Permissions } from './permissions.ts';
import { createQuotas, usualLimits, type Quotas, type Use } from './quotas.ts';
import { readOnlyHandlers } from './read-only.ts';
import { serveApi, type SeenCall } from './server.ts';
import { createSlices, type Slices } from './tpu/slices.ts';
import { createSliceCatalogue } from './tpu/slice-types.ts';
import { createTokens, type ServiceAccount, type Tokens } from './tokens.ts';
import type { Timing, World } from './world.ts';

export type GcpEmulatorOptions = {
  project?: string;
  port?: number;
  timing?: Partial<Timing>;
  /** Limits by metric, such as NVIDIA_L4_GPUS, the same in every region; the others as usual. */
  quotas?: Use;
  /** Accelerators by zone; a usual choice where left out. */
  zones?: Record<string, readonly string[]>;
  /** TPUs by zone, as the names of their slices begin; a usual choice where left out. */
  tpus?: Record<string, readonly string[]>;
  /** `records`: instances without processes, as many as you like. */
  machines?: 'processes' | 'records';
  /** More environment for the processes of each instance. */
  machineEnv?: MachineEnv;
  onStart?: (guest: Guest) => void;
  onStop?: (guest: Guest) => void;
};

export type GcpEmulator = {
  url: string;
  port: number;
  project: string;
  /** Where its machines have their directories; gone when it is closed. */
  directory: string;
  /** At which address of this host its machines reach what runs here. */
  hostAddress: string;
  /** Why its machines have no network of their own; undefined where they have. */
  networkObstacle: string | undefined;
  /**
   * Application Default Credentials by workload identity, that impersonate the account `weir`. It may do everything until
   * `permissions.grant` says what.
   */
  env: { GOOGLE_APPLICATION_CREDENTIALS: string; GOOGLE_CLOUD_PROJECT: string };
  /** A key of the same account, for clients that sign their tokens themselves: Google's token endpoint is out of reach. */
  keyPath: string;
  account: ServiceAccount;
  /** What instances run as: has no permission of its own. */
  instanceAccount: ServiceAccount;
  faults: Faults;
  permissions: Permissions;
  quotas: Quotas;
  tokens: Tokens;
  instances: Instances;
  /** Queued resources of Cloud TPU, with their nodes and hosts. */
  slices: Slices;
  disks: () => Json[];
  calls: SeenCall[];
  runningSeconds: (name: string) => number;
  evict: (name: string, noticeMs?: number) => Promise<void>;
  maintain: (name: string, noticeMs?: number) => Promise<void>;
  breakDown: (name: string) => Promise<void>;
  close: () => Promise<void>;
};

/** So short that what takes minutes at Google takes moments here; the order of things stays. */
const quickTiming: Timing = {
  pendingMs: 5,
  runningMs: 20,
  bootMs: 20,
  shutdownMs: 30_000,
  preemptionMs: 30_000,
  waitMs: 120_000,
  secondMs: 1000,
  tpuStateMs: 20,
};

export async function startGcpEmulator(options: GcpEmulatorOptions = {}): Promise<GcpEmulator> {
  const { project = 'weir-emulated', port = 0, machines = 'processes', machineEnv = () => ({}) } = options;
  const timing = { ...quickTiming, ...options.timing };
  const directory = mkdtempSync(join(tmpdir(), 'weir-gcp-'));
  chmodSync(directory, 0o711);
  const faults = createFaults();
  const permissions = createPermissions();
  const quotas = createQuotas({ ...usualLimits, ...options.quotas });
  const operations = createOperations(project, timing);
  const tokens: Tokens = createTokens(project, () => api.url(), 3600);
  const world: World = {
    project,
    projectNumber: '415104041262',
    timing,
    catalogue: createCatalogue(project, options.zones),
    operations,
    quotas,
    faults: faults.inside,
    permissions,
    tokens,
  };
  const { network, obstacle } = machines === 'processes' ? await openNetwork(directory) : none;
  const guests = {
    world,
    machinesDir: machines === 'processes' ? directory : undefined,
    machineEnv,
    network,
    onStart: options.onStart ?? (() => undefined),
    onStop: options.onStop ?? (() => undefined),
  };
  const instances = createInstances(guests);
  const slices = createSlices({ ...guests, catalogue: createSliceCatalogue(options.tpus) });
  const handlers = { ...readOnlyHandlers(world), ...instances.handlers, ...slices.handlers };
  const api = await serveApi(
    () => world,
    () => handlers,
    port,
  );
  const account = tokens.account('weir');
  const instanceAccount = tokens.account('weir-instance');
  permissions.grant(instanceAccount.email, []);
  const keyPath = join(directory, 'weir-key.json');
  writeFileSync(keyPath, JSON.stringify(account.key), { mode: 0o600 });
  const credentialsPath = join(directory, 'weir-workload-identity.json');
  writeFileSync(join(directory, 'subject-token'), 'a token of the place where weir runs', { mode: 0o600 });
  writeFileSync(credentialsPath, JSON.stringify(workloadIdentity(api.url(), account.email, directory)), {
    mode: 0o600,
  });

  return {
    url: api.url(),
    port: Number(new URL(api.url()).port),
    project,
    directory,
    hostAddress: network?.hostAddress ?? '127.0.0.1',
    networkObstacle: obstacle,
    env: { GOOGLE_APPLICATION_CREDENTIALS: credentialsPath, GOOGLE_CLOUD_PROJECT: project },
    keyPath,
    account,
    instanceAccount,
    faults: faults.outside,
    permissions,
    quotas,
    tokens,
    instances,
    slices,
    disks: instances.disks.all,
    calls: api.calls,
    runningSeconds: instances.runningSeconds,
    evict: (name, noticeMs = timing.preemptionMs) => instances.life.preempt(instances.find(name), noticeMs),
    maintain: (name, noticeMs = 0) => instances.life.maintain(instances.find(name), noticeMs),
    breakDown: (name) => instances.life.breakDown(instances.find(name)),
    close: async () => {
      operations.close();
      await api.close();
      await Promise.all([instances.close(), slices.close()]);
      await network?.close();
      rmSync(directory, { recursive: true, force: true });
      if (api.schemaFaults.length > 0) throw new Error(`The emulator spoke nonsense:\n${api.schemaFaults.join('\n')}`);
    },
  };
}

const none: Awaited<ReturnType<typeof openNetwork>> = { obstacle: 'its instances are records' };

/** A credential configuration as `gcloud iam workload-identity-pools create-cred-config` writes it. */
function workloadIdentity(url: string, email: string, directory: string): Json {
  return {
    type: 'external_account',
    universe_domain: 'googleapis.com',
    audience:
      '//iam.googleapis.com/projects/415104041262/locations/global/workloadIdentityPools/pool/providers/provider',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${url}/sts/v1/token`,
    service_account_impersonation_url: `${url}/v1/projects/-/serviceAccounts/${email}:generateAccessToken`,
    credential_source: { file: join(directory, 'subject-token') },
  };
}
