import type { Json } from '../messages.ts';
import { runningSeconds } from '../instance.ts';
import { requireProject, type Call, type Handlers } from '../world.ts';
import { StatusFailure, failedPrecondition, locationUnknown, tpuExists, tpuNotFound, typed } from './answers.ts';
import { shutDownHost, type HostOptions } from './hosts.ts';
import { createLongRunning } from './long-running.ts';
import { checkQueuedResource } from './queue-request.ts';
import { createSlice, stateOf, type QueuedResourceBody, type Slice } from './slice.ts';
import { createSliceLife } from './slice-life.ts';
import { readOnlyTpuHandlers, tpuPage } from './tpu-read-only.ts';
import { createTpuQuotas, type TpuQuotas } from './tpu-quotas.ts';
import type { SliceCatalogue } from './slice-types.ts';

export type Slices = {
  handlers: Handlers;
  /** Queued resources that the API shows, in whichever state. */
  all: () => Slice[];
  /** Also those that are gone. */
  ever: () => readonly Slice[];
  /** The last one of this id. @throws Error where there never was one. */
  find: (id: string) => Slice;
  quotas: TpuQuotas;
  /** Zones that the lists over all of them don't reach. */
  unreachable: Set<string>;
  /** Cloud TPU takes a spot slice back. */
  evict: (id: string, noticeMs?: number) => Promise<void>;
  /** How long it was READY, over all nodes of this id. */
  runningSeconds: (id: string) => number;
  close: () => Promise<void>;
};

export type SlicesOptions = HostOptions & { catalogue: SliceCatalogue };

const deletableStates = ['ACCEPTED', 'FAILED', 'SUSPENDED', 'WAITING_FOR_RESOURCES'];

/** Queued resources of Cloud TPU with their nodes. */
export function createSlices(options: SlicesOptions): Slices {
  const { world, catalogue } = options;
  const { project, permissions, timing } = world;
  const operations = createLongRunning(project, timing.pendingMs + timing.runningMs);
  const quotas = createTpuQuotas();
  const shown = new Map<string, Slice>();
  const ever: Slice[] = [];
  const unreachable = new Set<string>();
  const life = createSliceLife({ ...options, quotas, onGone: ({ address }) => void shown.delete(address) });

  const locationOf = ({ params }: Call): string => {
    requireProject(world, params['project']);
    const zone = params['location'] ?? '';
    if (!catalogue.zones.includes(zone)) throw locationUnknown(zone);
    return zone;
  };
  const read = (call: Call): Slice => {
    const address = `projects/${project}/locations/${locationOf(call)}/queuedResources/${call.params['queuedResource']}`;
    const found = shown.get(address);
    if (found === undefined) throw tpuNotFound(address);
    return found;
  };
  const readNode = (call: Call): Slice & { node: Json } => {
    const address = `projects/${project}/locations/${locationOf(call)}/nodes/${call.params['node']}`;
    const found = [...shown.values()].find(({ nodeAddress, node }) => nodeAddress === address && node !== undefined);
    if (found?.node === undefined) throw tpuNotFound(address);
    return found as Slice & { node: Json };
  };

  const create = (call: Call): Json => {
    const zone = locationOf(call);
    const { requestId, queuedResourceId } = call.query;
    const before = operations.repeated(requestId);
    if (before !== undefined) return before;
    const asked = checkQueuedResource(zone, queuedResourceId, call.body as QueuedResourceBody, { world, catalogue });
    // The account that the hosts run as, the project's default one where none is named.
    permissions.check(call.principal, ['iam.serviceAccounts.actAs'], `projects/${project}`);
    const slice = createSlice(asked, world);
    if (shown.has(slice.address)) throw tpuExists(slice.address);
    const fault = world.faults.operationFault(call.method, zone);
    if (fault === undefined) {
      shown.set(slice.address, slice);
      ever.push(slice);
      life.begin(slice);
    }
    const operation = operations.start({
      zone,
      target: slice.address,
      verb: 'create',
      run: async () => {
        if (fault !== undefined) throw new StatusFailure({ code: fault.status, message: fault.message });
        return typed('google.cloud.tpu.v2.QueuedResource', slice.resource);
      },
    });
    operations.remember(requestId, operation);
    return operation;
  };

  const end = (zone: string, target: string, run: () => Promise<void>): Json =>
    operations.start({
      zone,
      target,
      verb: 'delete',
      run: async () => {
        await run();
        return typed('google.protobuf.Empty', {});
      },
    });
  const remove = (call: Call): Json => {
    const slice = read(call);
    const state = stateOf(slice);
    if (state === 'DELETING') throw failedPrecondition(`Queued resource ${slice.address} is already being deleted.`);
    if (call.query['force'] !== 'true' && !deletableStates.includes(state))
      throw failedPrecondition(
        `Queued resource ${slice.address} is in state ${state}: delete its nodes first, or use force.`,
      );
    const gone = life.remove(slice);
    return end(slice.zone, slice.address, () => gone);
  };
  const removeNode = (call: Call): Json => {
    const slice = readNode(call);
    if (stateOf(slice) !== 'ACTIVE')
      throw failedPrecondition(`Node ${slice.nodeAddress} is ${String(slice.node['state'])}.`);
    const gone = life.suspend(slice, 'USER', timing.shutdownMs);
    return end(slice.zone, slice.nodeAddress, () => gone);
  };

  /** Of one location, or of all of them; what can't be reached is told apart from what is not there. */
  const list = (call: Call, name: string, itemOf: (slice: Slice) => Json | undefined): Json => {
    const isAll = call.params['location'] === '-';
    if (isAll) requireProject(world, call.params['project']);
    const zone = isAll ? undefined : locationOf(call);
    const items = [...shown.values()]
      .filter((slice) => (zone ?? slice.zone) === slice.zone && !unreachable.has(slice.zone))
      .flatMap((slice): Json[] => [itemOf(slice)].filter((item) => item !== undefined));
    const lost = isAll ? [...unreachable].map((each) => `projects/${project}/locations/${each}`) : [];
    return { ...tpuPage(name, items, call.query), ...(lost.length === 0 ? {} : { unreachable: lost }) };
  };

  const find = (id: string): Slice => {
    const found = ever.findLast((slice) => slice.id === id);
    if (found === undefined) throw new Error(`There never was a slice ${id}.`);
    return found;
  };

  return {
    quotas,
    unreachable,
    find,
    all: () => [...shown.values()],
    ever: () => ever,
    evict: async (id, noticeMs = timing.preemptionMs) => {
      const slice = find(id);
      if (!slice.isSpot) throw new Error(`${id} is not a spot slice.`);
      await life.suspend(slice, 'SERVICE', noticeMs);
    },
    runningSeconds: (id) =>
      ever.filter((slice) => slice.id === id).reduce((sum, slice) => sum + runningSeconds(slice), 0),
    close: async () => {
      operations.close();
      const hosts = ever.flatMap((slice) => {
        slice.leaving.abort();
        return slice.hosts;
      });
      await Promise.all(hosts.map((host) => shutDownHost(host, 0, options)));
    },
    handlers: {
      ...readOnlyTpuHandlers(world, catalogue, operations, locationOf),
      'tpu.projects.locations.queuedResources.create': create,
      'tpu.projects.locations.queuedResources.get': (call) => read(call).resource,
      'tpu.projects.locations.queuedResources.delete': remove,
      'tpu.projects.locations.queuedResources.list': (call) =>
        list(call, 'queuedResources', ({ resource }) => resource),
      'tpu.projects.locations.nodes.get': (call) => readNode(call).node,
      'tpu.projects.locations.nodes.delete': removeNode,
      'tpu.projects.locations.nodes.list': (call) => list(call, 'nodes', ({ node }) => node),
    },
  };
}
