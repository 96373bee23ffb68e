import { randomUUID } from 'node:crypto';
import type { GcpEmulator } from './emulator.ts';
import { waitFor } from '../../support/wait.ts';
import type { Instance } from './instance.ts';
import type { Json } from './messages.ts';

export const zone = 'us-central1-a';

export type Answer = { status: number; headers: Headers; body: Json };

export type Caller = {
  call: (method: string, path: string, body?: Json, token?: string) => Promise<Answer>;
  insert: (instance: Json, requestId?: string) => Promise<Answer>;
  /** The operation of this answer when it is DONE. */
  done: (answer: Answer) => Promise<Json>;
  machine: (name: string, startupScript?: string, more?: Json) => Json;
  /** An instance whose script has printed `ready`. */
  boot: (name: string, startupScript: string, more?: Json) => Promise<Instance>;
};

/** Plain HTTP calls to the emulator with a token of the account `weir`, for what clients would hide. */
export function createCaller(cloud: GcpEmulator): Caller {
  const own = cloud.tokens.issue(cloud.account.email).access_token;
  const caller: Caller = {
    machine: (name, startupScript = '', more = {}) => machineOf(cloud, { name, startupScript, more }),
    call: async (method, path, body, token = own) => {
      const response = await fetch(`${cloud.url}/compute/v1/projects/${cloud.project}/${path}`, {
        method,
        headers: { authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
    },
    insert: (instance, requestId = randomUUID()) =>
      caller.call('POST', `zones/${zone}/instances?requestId=${requestId}`, instance),
    done: async ({ status, body }) => {
      if (status !== 200) throw new Error(JSON.stringify(body));
      return (await caller.call('POST', `zones/${zone}/operations/${String(body['name'])}/wait`)).body;
    },
    boot: async (name, startupScript, more = {}) => {
      await caller.done(await caller.insert(caller.machine(name, startupScript, more)));
      const instance = cloud.instances.find(name);
      await waitFor(`${name} to be ready`, () => instance.machine?.serialOutput().includes('ready'));
      return instance;
    },
  };
  return caller;
}

function machineOf(
  cloud: GcpEmulator,
  { name, startupScript, more }: { name: string; startupScript: string; more: Json },
): Json {
  return {
    name,
    machineType: `zones/${zone}/machineTypes/g2-standard-4`,
    labels: { owner: name },
    disks: [
      {
        boot: true,
        autoDelete: true,
        initializeParams: {
          sourceImage: 'projects/debian-cloud/global/images/family/debian-12',
          diskSizeGb: '50',
          diskType: `zones/${zone}/diskTypes/pd-balanced`,
        },
      },
    ],
    networkInterfaces: [{ network: 'global/networks/default' }],
    scheduling: {
      provisioningModel: 'SPOT',
      onHostMaintenance: 'TERMINATE',
      automaticRestart: false,
      instanceTerminationAction: 'DELETE',
      maxRunDuration: { seconds: '3600000' },
    },
    serviceAccounts: [
      { email: cloud.instanceAccount.email, scopes: ['https://www.googleapis.com/auth/cloud-platform'] },
    ],
    metadata: { items: [{ key: 'startup-script', value: startupScript }] },
    ...more,
  };
}
