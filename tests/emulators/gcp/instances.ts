import { setTimeout as sleep } from 'node:timers/promises';
import { regionOf } from './catalogue.ts';
import { createDisks, type Disks } from './disks.ts';
import type { Json } from './messages.ts';
import { ApiError, OperationFailure, notFound } from './errors.ts';
import { createInstance, runningSeconds, type Instance } from './instance.ts';
import { createLife, type Life, type LifeOptions } from './instance-life.ts';
import type { InstanceBody } from './instance-body.ts';
import { checkInstance, insertPermissions, useOf } from './instance-request.ts';
import { waitSecondsOf } from './scheduling.ts';
import { lastOf } from './links.ts';
import { aggregatedPage, page } from './lists.ts';
import { requireProject, requireZone, type Call, type Handlers } from './world.ts';

export type Instances = {
  handlers: Handlers;
  /** Those that the API shows. */
  all: () => Instance[];
  /** Also those that are gone. */
  ever: () => readonly Instance[];
  find: (name: string) => Instance;
  life: Life;
  disks: Disks;
  /** Zones that lists over all zones do not reach. */
  unreachable: Set<string>;
  /** How long it was RUNNING, over all instances of this name. */
  runningSeconds: (name: string) => number;
  close: () => Promise<void>;
};

export type InstancesOptions = Omit<LifeOptions, 'disks' | 'onGone'>;

export function createInstances(options: InstancesOptions): Instances {
  const { world } = options;
  const { project, operations, permissions } = world;
  const disks = createDisks(world);
  const shown = new Map<string, Instance>();
  const ever: Instance[] = [];
  const deleting = new Set<Instance>();
  const unreachable = new Set<string>();
  const forget = (instance: Instance) => {
    if (shown.get(instance.address) === instance) shown.delete(instance.address);
  };
  const life = createLife({ ...options, disks, onGone: forget });

  const read = ({ params }: Call): Instance => {
    requireProject(world, params['project']);
    const address = `projects/${project}/zones/${requireZone(world, params['zone'])}/instances/${params['instance']}`;
    const found = shown.get(address);
    if (found === undefined) throw notFound(address);
    return found;
  };
  const inZone = (zone: string): Json[] =>
    [...shown.values()].filter((instance) => instance.zone === zone).map(({ resource }) => resource);

  const insert = (call: Call): Json => {
    requireProject(world, call.params['project']);
    const zone = requireZone(world, call.params['zone']);
    const body = call.body as unknown as InstanceBody;
    permissions.check(call.principal, insertPermissions(body, project), `projects/${project}`);
    const { requestId } = call.query;
    const target = `insert ${zone} ${body.name}`;
    const before = operations.repeated(requestId, target);
    if (before !== undefined) return before;
    const sort = checkInstance(body, zone, world);
    const use = useOf(body, sort, (metric) => world.quotas.isGiven(regionOf(zone), metric));
    const instance = createInstance(body, zone, sort, { world, use });
    if (shown.has(instance.address))
      throw new ApiError(409, 'alreadyExists', `The resource '${instance.address}' already exists`);
    shown.set(instance.address, instance);
    const operation = operations.start({
      scope: `zones/${zone}`,
      type: 'insert',
      target: { resource: instance.address, id: String(instance.resource['id']) },
      user: call.principal,
      ...(requestId === undefined ? {} : { requestId }),
      run: () => provision(instance),
    });
    operations.remember(requestId, target, operation);
    return operation;
  };

  const provision = async (instance: Instance): Promise<void> => {
    try {
      const fault = world.faults.operationFault('compute.instances.insert', instance.zone);
      if (fault !== undefined) throw new OperationFailure(fault);
      for (;;) {
        // A flex-start machine can be deleted while it waits.
        if (shown.get(instance.address) !== instance) return;
        try {
          life.start(instance);
          break;
        } catch (error) {
          if (!isWaiting(instance)) throw error;
          await sleep(20, undefined, { ref: false });
        }
      }
      ever.push(instance);
    } catch (error) {
      forget(instance);
      throw error;
    }
  };
  const isWaiting = ({ resource, insertedMs, body }: Instance): boolean =>
    resource['status'] === 'PENDING' && Date.now() < insertedMs + waitSecondsOf(body) * world.timing.secondMs;

  const end = (call: Call, type: 'delete' | 'stop'): Json => {
    const instance = read(call);
    const { requestId } = call.query;
    const target = `${type} ${instance.address}`;
    const before = operations.repeated(requestId, target);
    if (before !== undefined) return before;
    if (instance.resource['status'] === 'PROVISIONING' || deleting.has(instance))
      throw new ApiError(400, 'resourceNotReady', `The resource '${instance.address}' is not ready`);
    if (type === 'delete') deleting.add(instance);
    const operation = operations.start({
      scope: `zones/${instance.zone}`,
      type,
      target: { resource: instance.address, id: String(instance.resource['id']) },
      user: call.principal,
      ...(requestId === undefined ? {} : { requestId }),
      run: () => {
        const fault = world.faults.operationFault(`compute.instances.${type}`, instance.zone);
        if (fault !== undefined) {
          deleting.delete(instance);
          throw new OperationFailure(fault);
        }
        return type === 'delete' ? life.remove(instance) : life.stop(instance);
      },
    });
    operations.remember(requestId, target, operation);
    return operation;
  };

  const instances: Instances = {
    life,
    disks,
    unreachable,
    all: () => [...shown.values()],
    ever: () => ever,
    find: (name) => {
      const found = ever.findLast((instance) => instance.name === name);
      if (found === undefined) throw new Error(`There never was an instance ${name}.`);
      return found;
    },
    runningSeconds: (name) =>
      ever.filter((instance) => instance.name === name).reduce((sum, instance) => sum + runningSeconds(instance), 0),
    close: async () => {
      await Promise.all(
        ever.map(async ({ machine, metadata, boot, limit }) => {
          clearTimeout(boot);
          clearTimeout(limit);
          await machine?.cutPower();
          await metadata?.close();
        }),
      );
    },
    handlers: {
      ...disks.handlers,
      'compute.instances.insert': insert,
      'compute.instances.get': (call) => read(call).resource,
      'compute.instances.delete': (call) => end(call, 'delete'),
      'compute.instances.stop': (call) => end(call, 'stop'),
      'compute.instances.getSerialPortOutput': (call) => {
        const contents = read(call).machine?.serialOutput() ?? '';
        const start = Number(call.query['start'] ?? 0);
        const shownPart = contents.slice(start);
        return {
          kind: 'compute#serialPortOutput',
          contents: shownPart,
          start: String(start),
          next: String(start + shownPart.length),
          selfLink: `${String(read(call).resource['selfLink'])}/serialPort`,
        };
      },
      'compute.instances.list': ({ params, query }) => {
        requireProject(world, params['project']);
        const zone = requireZone(world, params['zone']);
        return {
          kind: 'compute#instanceList',
          id: `projects/${project}/zones/${zone}/instances`,
          ...page(inZone(zone), query),
        };
      },
      'compute.instances.aggregatedList': ({ params, query }) => {
        requireProject(world, params['project']);
        const scopes = world.catalogue.zones.flatMap((zone) => (unreachable.has(zone) ? [] : `zones/${zone}`));
        const { items, ...rest } = aggregatedPage('instances', scopes, (scope) => inZone(lastOf(scope)), query);
        for (const zone of unreachable) items[`zones/${zone}`] = { warning: { code: 'UNREACHABLE' } };
        return {
          kind: 'compute#instanceAggregatedList',
          id: `projects/${project}/aggregated/instances`,
          items,
          ...rest,
        };
      },
    },
  };
  return instances;
}
