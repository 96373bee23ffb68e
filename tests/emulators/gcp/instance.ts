import type { Guest } from './guest.ts';
import type { Json } from './messages.ts';
import type { Machine } from './machine.ts';
import type { MetadataServer, Tree } from './metadata-server.ts';
import type { MachineType } from './catalogue.ts';
import type { Use } from './quotas.ts';
import { lastOf, link, newId, timestamp } from './links.ts';
import { isSpot, type Accelerators, type InstanceBody } from './instance-body.ts';
import { waitSecondsOf } from './scheduling.ts';
import type { World } from './world.ts';

/** One stretch of being RUNNING, which is what Google charges for. */
export type Run = { fromMs: number; toMs: number | undefined };

export type Instance = Guest & {
  zone: string;
  /** `projects/…/zones/…/instances/…` */
  address: string;
  body: InstanceBody;
  /** The Instance message, as `get` answers it. */
  resource: Json;
  isSpot: boolean;
  use: Use;
  runs: Run[];
  insertedMs: number;
  goneMs: number | undefined;
  isPreempted: boolean;
  maintenanceEvent: string;
  machine: Machine | undefined;
  metadata: MetadataServer | undefined;
  /** Ends the instance when its `maxRunDuration` is over. */
  limit: NodeJS.Timeout | undefined;
  boot: NodeJS.Timeout | undefined;
};

export function createInstance(
  body: InstanceBody,
  zone: string,
  { type, accelerators }: { type: MachineType; accelerators: Accelerators | undefined },
  { world, use }: { world: World; use: Use },
): Instance {
  const { project } = world;
  const address = `projects/${project}/zones/${zone}/instances/${body.name}`;
  const resource: Json = {
    ...body,
    kind: 'compute#instance',
    id: newId(),
    status: waitSecondsOf(body) > 0 ? 'PENDING' : 'PROVISIONING',
    creationTimestamp: timestamp(new Date()),
    zone: link(`projects/${project}/zones/${zone}`),
    machineType: link(`projects/${project}/zones/${zone}/machineTypes/${type.name}`),
    selfLink: link(address),
    disks: [],
    tags: { ...body.tags, fingerprint: 'MTIzNDU2Nzg5MA==' },
    metadata: { kind: 'compute#metadata', fingerprint: 'MTIzNDU2Nzg5MA==', ...body.metadata },
    labelFingerprint: 'MTIzNDU2Nzg5MA==',
    fingerprint: 'MTIzNDU2Nzg5MA==',
    startRestricted: false,
    deletionProtection: false,
    networkInterfaces: (body.networkInterfaces ?? []).map((networkInterface, index) => ({
      kind: 'compute#networkInterface',
      name: `nic${index}`,
      networkIP: '10.128.0.2',
      stackType: 'IPV4_ONLY',
      ...networkInterface,
    })),
    scheduling: { provisioningModel: 'STANDARD', preemptible: isSpot(body), ...body.scheduling },
    ...(accelerators === undefined
      ? {}
      : {
          guestAccelerators: [
            {
              acceleratorType: link(`projects/${project}/zones/${zone}/acceleratorTypes/${accelerators.type}`),
              acceleratorCount: accelerators.count,
            },
          ],
        }),
  };
  return {
    name: body.name,
    attribute: (key) => body.metadata?.items?.find((item) => item.key === key)?.value,
    zone,
    address,
    body,
    resource,
    isSpot: isSpot(body),
    use,
    runs: [],
    insertedMs: Date.now(),
    goneMs: undefined,
    isPreempted: false,
    maintenanceEvent: 'NONE',
    machine: undefined,
    metadata: undefined,
    limit: undefined,
    boot: undefined,
  };
}

export function setStatus(instance: Instance, status: string): void {
  const now = Date.now();
  const last = instance.runs.at(-1);
  const isRunning = status === 'RUNNING' || status === 'STOPPING';
  if (status === 'RUNNING') instance.runs.push({ fromMs: now, toMs: undefined });
  if (!isRunning && last !== undefined) last.toMs ??= now;
  if (status === 'RUNNING') instance.resource['lastStartTimestamp'] = timestamp(new Date(now));
  if (status === 'STOPPING' || status === 'TERMINATED')
    instance.resource['lastStopTimestamp'] = timestamp(new Date(now));
  instance.resource['status'] = status;
}

/** Of its only network interface. */
export function setAddress({ resource }: Instance, networkIP: string): void {
  for (const networkInterface of resource['networkInterfaces'] as Json[]) networkInterface['networkIP'] = networkIP;
}

function addressOf({ resource }: Instance): string {
  const [first] = resource['networkInterfaces'] as { networkIP: string }[];
  return first?.networkIP ?? '';
}

export function runningSeconds({ runs }: Pick<Instance, 'runs'>): number {
  return runs.reduce((sum, { fromMs, toMs }) => sum + ((toMs ?? Date.now()) - fromMs) / 1000, 0);
}

/** What the metadata server of this instance shows below /computeMetadata/v1/. */
export function metadataTree(instance: Instance, { project, projectNumber }: World): Tree {
  const { body, zone, name, resource } = instance;
  const accounts = (body.serviceAccounts ?? []).flatMap(({ email, scopes = [] }) => {
    const account = { aliases: 'default', email, scopes: scopes.join('\n') };
    return [
      ['default', account],
      [email, account],
    ] as const;
  });
  return {
    instance: {
      id: String(resource['id']),
      name,
      hostname: `${name}.${zone}.c.${project}.internal`,
      zone: `projects/${projectNumber}/zones/${zone}`,
      'machine-type': `projects/${projectNumber}/machineTypes/${lastOf(String(resource['machineType']))}`,
      preempted: instance.isPreempted ? 'TRUE' : 'FALSE',
      'maintenance-event': instance.maintenanceEvent,
      attributes: Object.fromEntries((body.metadata?.items ?? []).map(({ key, value }) => [key, value])),
      scheduling: {
        preemptible: instance.isSpot ? 'TRUE' : 'FALSE',
        'automatic-restart': body.scheduling?.automaticRestart === false ? 'FALSE' : 'TRUE',
        'on-host-maintenance': body.scheduling?.onHostMaintenance ?? 'MIGRATE',
      },
      'service-accounts': Object.fromEntries(accounts),
      'network-interfaces': { '0': { ip: addressOf(instance) } },
    },
    project: { 'project-id': project, 'numeric-project-id': projectNumber, attributes: {} },
  };
}
