import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Guest, MachineEnv } from '../guest.ts';
import { bootMachine } from '../machine.ts';
import { startMetadataServer, type Tree } from '../metadata-server.ts';
import type { Network } from '../network.ts';
import type { World } from '../world.ts';
import type { Host, Slice } from './slice.ts';
import type { SliceType } from './slice-types.ts';

export type HostOptions = {
  world: World;
  /** Where machines have their directories; none: hosts are records without a process. */
  machinesDir: string | undefined;
  machineEnv: MachineEnv;
  /** Left out: hosts share the network of this one. */
  network?: Network | undefined;
  onStart: (guest: Guest) => void;
  onStop: (guest: Guest) => void;
};

let slices = 0;

/**
 * The hosts of a slice. Each has a place in the network of the machines, or where they have none an address of this one's loopback; they
 * know each other's before the first one boots.
 */
export function createHosts(slice: Slice, options: HostOptions): Host[] {
  const subnet = slices++;
  const places = Array.from({ length: slice.type.hosts }, (_, worker) => placeOf(slice, worker, subnet, options));
  const addresses = places.map(({ address }) => address);
  return places.map((place, worker) => {
    const attributes = attributesOf(slice, worker, addresses);
    return {
      ...place,
      name: `t1v-n-${createHash('sha256').update(slice.nodeAddress).digest('hex').slice(0, 8)}-w-${worker}`,
      attribute: (key) => attributes[key],
      attributes,
      worker,
      isPreempted: false,
      machine: undefined,
      metadata: undefined,
    };
  });
}

function placeOf(
  { id }: Slice,
  worker: number,
  subnet: number,
  { machinesDir, network }: HostOptions,
): Pick<Host, 'directory' | 'port' | 'address'> {
  const directory =
    machinesDir === undefined ? undefined : mkdtempSync(join(machinesDir, `${id.slice(0, 40)}-${worker}-`));
  const port = directory === undefined ? undefined : network?.join(directory);
  const loopback = `127.${1 + (subnet % 254)}.${worker >> 7}.${(worker & 127) + 1}`;
  return { directory, port, address: port?.address ?? loopback };
}

/** What the request gave, the same for all, and what Cloud TPU tells each. */
function attributesOf({ body, type, zone, id }: Slice, worker: number, addresses: string[]): Record<string, string> {
  const wrap = wrapOf(type);
  const environment = {
    ACCELERATOR_TYPE: type.name,
    ALT: 'false',
    CHIPS_PER_HOST_BOUNDS: type.chipsPerHostBounds,
    HOST_BOUNDS: type.hostBounds,
    NODE_ID: id,
    RUNTIME_VERSION: body.runtimeVersion ?? '',
    TOPOLOGY: type.topology,
    TPU_CHIPS_PER_PROCESS_BOUNDS: type.chipsPerHostBounds,
    TPU_PROCESS_BOUNDS: type.hostBounds,
    TPU_RUNTIME_METRICS_PORTS: '8431,8432,8433,8434',
    TPU_TOPOLOGY_ALT: 'false',
    TPU_TOPOLOGY_WRAP: wrap,
    TYPE: type.generation,
    WORKER_ID: String(worker),
    WRAP: wrap,
    ZONE: zone,
  };
  return {
    ...body.metadata,
    'accelerator-type': type.name,
    'agent-worker-number': String(worker),
    'worker-network-endpoints': addresses.map((address) => `unknown:unknown:${address}`).join(','),
    'tpu-env': Object.entries(environment)
      .map(([key, value]) => `${key}: '${value}'\n`)
      .join(''),
  };
}

/** Which dimensions of a slice are rings: of a cube, where it is made of whole cubes of four; of v5e and v6e, where it spans the pod. */
function wrapOf({ generation, topology }: SliceType): string {
  const lengths = topology.split('x').map(Number);
  if (generation === 'V4' || generation === 'V5P')
    return Array<boolean>(3)
      .fill(lengths.every((length) => length % 4 === 0))
      .join(',');
  const isRing = (length = 1) => length >= 16 && (generation === 'V5LITE_POD' || generation === 'V6E');
  return [isRing(lengths[0]), isRing(lengths[1]), false].join(',');
}

/** Runs the startup script of the host, or tells that it would. */
export async function bootHost(
  host: Host,
  slice: Slice,
  { world, machineEnv, onStart }: HostOptions,
  onPowerOff: () => void,
): Promise<void> {
  const { directory, port } = host;
  if (directory === undefined) return onStart(host);
  const account = accountOf(slice, world);
  const content = {
    tree: () => metadataTree(host, slice, world),
    token: (name: string) =>
      name === 'default' || name === account.email ? world.tokens.issue(account.email) : undefined,
  };
  const metadata = await startMetadataServer(content, port?.metadataSocket);
  if (slice.leaving.signal.aborted) return metadata.close();
  host.metadata = metadata;
  host.machine = bootMachine({
    directory,
    startupScript: host.attribute('startup-script') ?? '',
    place: port ?? { metadataHost: metadata.host },
    env: machineEnv(host, directory),
    onPowerOff,
  });
}

export async function shutDownHost(host: Host, noticeMs: number, { onStop }: HostOptions): Promise<void> {
  onStop(host);
  await host.machine?.shutDown(noticeMs);
  await host.metadata?.close();
  host.machine = undefined;
  host.metadata = undefined;
}

/** Cloud TPU takes the project's default account where the request names none. */
export function accountOf(
  { body }: Pick<Slice, 'body'>,
  { projectNumber }: World,
): { email: string; scopes: string[] } {
  const { email = `${projectNumber}-compute@developer.gserviceaccount.com`, scope } = body.serviceAccount ?? {};
  return { email, scopes: scope ?? ['https://www.googleapis.com/auth/cloud-platform'] };
}

function metadataTree(host: Host, slice: Slice, world: World): Tree {
  const { project, projectNumber } = world;
  const account = accountOf(slice, world);
  const shown = { aliases: 'default', email: account.email, scopes: account.scopes.join('\n') };
  return {
    instance: {
      name: host.name,
      hostname: `${host.name}.${slice.zone}.c.${project}.internal`,
      zone: `projects/${projectNumber}/zones/${slice.zone}`,
      preempted: host.isPreempted ? 'TRUE' : 'FALSE',
      'maintenance-event': 'NONE',
      attributes: host.attributes,
      scheduling: { preemptible: slice.isSpot ? 'TRUE' : 'FALSE', 'automatic-restart': 'FALSE' },
      'service-accounts': { default: shown, [account.email]: shown },
      'network-interfaces': { '0': { ip: host.address } },
    },
    project: { 'project-id': project, 'numeric-project-id': projectNumber, attributes: {} },
  };
}
