import type { Guest } from '../guest.ts';
import type { Run } from '../instance.ts';
import type { Machine } from '../machine.ts';
import type { Json } from '../messages.ts';
import type { MetadataServer } from '../metadata-server.ts';
import type { Port } from '../network.ts';
import type { World } from '../world.ts';
import type { Status } from './answers.ts';
import type { SliceType } from './slice-types.ts';
import { newId } from '../links.ts';

/** Of the QueuedResource message, what the emulator reads. */
export type QueuedResourceBody = {
  tpu?: { nodeSpec?: { parent?: string; nodeId?: string; node?: NodeBody }[] };
  spot?: Json;
  guaranteed?: Json;
  queueingPolicy?: { validUntilDuration?: string };
};

export type NodeBody = {
  acceleratorType?: string;
  runtimeVersion?: string;
  networkConfig?: { network?: string; subnetwork?: string; enableExternalIps?: boolean };
  serviceAccount?: { email?: string; scope?: string[] };
  schedulingConfig?: { preemptible?: boolean; spot?: boolean; reserved?: boolean };
  labels?: Record<string, string>;
  metadata?: Record<string, string>;
  tags?: string[];
};

/** One machine of a slice. */
export type Host = Guest & {
  attributes: Record<string, string>;
  worker: number;
  address: string;
  /** None: a record without a process. */
  directory: string | undefined;
  /** Its place in a network of the machines' own, where they have one. */
  port: Port | undefined;
  isPreempted: boolean;
  machine: Machine | undefined;
  metadata: MetadataServer | undefined;
};

/** A queued resource and the node that comes of it. */
export type Slice = {
  id: string;
  zone: string;
  /** `projects/…/locations/…/queuedResources/…` */
  address: string;
  nodeAddress: string;
  type: SliceType;
  isSpot: boolean;
  body: NodeBody;
  /** The QueuedResource message, as `get` answers it. */
  resource: Json;
  /** The Node message, while there is one. */
  node: Json | undefined;
  hosts: Host[];
  /** While its node was READY, which is what Google charges for. */
  runs: Run[];
  /** When its request is over, where it is no longer waited for then. */
  expiresMs: number;
  /** Ends its way up. */
  leaving: AbortController;
  goneMs: number | undefined;
};

type State =
  | 'CREATING'
  | 'ACCEPTED'
  | 'WAITING_FOR_RESOURCES'
  | 'PROVISIONING'
  | 'ACTIVE'
  | 'FAILED'
  | 'SUSPENDING'
  | 'SUSPENDED'
  | 'DELETING';

export function createSlice(
  asked: { id: string; nodeId: string; zone: string; type: SliceType; body: QueuedResourceBody; node: NodeBody },
  { project, timing }: World,
): Slice {
  const { id, nodeId, zone, type, body, node } = asked;
  const parent = `projects/${project}/locations/${zone}`;
  const seconds = /^(\d+)/.exec(body.queueingPolicy?.validUntilDuration ?? '')?.[1];
  const address = `${parent}/queuedResources/${id}`;
  return {
    id,
    zone,
    address,
    nodeAddress: `${parent}/nodes/${nodeId}`,
    type,
    isSpot: body.spot !== undefined,
    body: node,
    resource: { ...body, name: address, createTime: new Date().toISOString(), state: { state: 'CREATING' } },
    node: undefined,
    hosts: [],
    runs: [],
    expiresMs: seconds === undefined ? Infinity : Date.now() + Number(seconds) * timing.secondMs,
    leaving: new AbortController(),
    goneMs: undefined,
  };
}

const dataOf: Record<State, string | undefined> = {
  CREATING: 'creatingData',
  ACCEPTED: 'acceptedData',
  WAITING_FOR_RESOURCES: undefined,
  PROVISIONING: 'provisioningData',
  ACTIVE: 'activeData',
  FAILED: 'failedData',
  SUSPENDING: 'suspendingData',
  SUSPENDED: 'suspendedData',
  DELETING: 'deletingData',
};

/** `by`: who made it so, where that is told. */
export function setState({ resource }: Slice, state: State, by?: 'USER' | 'SERVICE', error?: Status): void {
  const data = dataOf[state];
  resource['state'] = {
    state,
    ...(by === undefined ? {} : { stateInitiator: by }),
    ...(data === undefined ? {} : { [data]: error === undefined ? {} : { error } }),
  };
}

export function stateOf({ resource }: Slice): State {
  return (resource['state'] as { state: State }).state;
}

/** The node as it is while it comes up. */
export function createNode({ type, body, address, nodeAddress, isSpot }: Slice): Json {
  return {
    ...body,
    name: nodeAddress,
    id: newId(),
    state: 'CREATING',
    health: 'HEALTHY',
    apiVersion: 'V2',
    createTime: new Date().toISOString(),
    queuedResource: address,
    acceleratorConfig: { type: type.generation, topology: type.topology },
    schedulingConfig: { ...body.schedulingConfig, spot: isSpot },
    networkEndpoints: [],
  };
}

/** Whether its node is charged from now on. */
export function setReady({ runs }: Slice, isReady: boolean): void {
  const now = Date.now();
  const last = runs.at(-1);
  if (isReady) runs.push({ fromMs: now, toMs: undefined });
  else if (last !== undefined) last.toMs ??= now;
}
