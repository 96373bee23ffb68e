import type { Json } from './messages.ts';
import { ApiError, notFound } from './errors.ts';
import type { AttachedDisk } from './instance-body.ts';
import { diskTypeOf } from './instance-request.ts';
import { lastOf, link, newId, timestamp } from './links.ts';
import { aggregatedPage, page } from './lists.ts';
import { regionOf } from './catalogue.ts';
import { requireProject, requireZone, type Call, type Handlers, type World } from './world.ts';

export type Disks = {
  handlers: Handlers;
  /** Makes the disks of an instance. Answers what `disks[]` of the instance shows. */
  attach: (instance: { name: string; zone: string; resource: string }, disks: readonly AttachedDisk[]) => Json[];
  /** The instance is gone: those with `autoDelete` go with it. */
  detach: (instance: { resource: string; zone: string }) => void;
  all: () => Json[];
};

export function createDisks(world: World): Disks {
  const { project, operations, quotas, faults } = world;
  const disks = new Map<string, Json>();
  const autoDeleted = new Set<string>();
  const address = (zone: string, name: string) => `projects/${project}/zones/${zone}/disks/${name}`;

  const remove = (key: string, zone: string): void => {
    const disk = disks.get(key);
    if (disk === undefined) return;
    disks.delete(key);
    quotas.free(regionOf(zone), { [sizeMetric(lastOf(String(disk['type'])))]: Number(disk['sizeGb']) });
  };

  const attach: Disks['attach'] = (instance, wanted) =>
    wanted.map((disk, index) => {
      const { diskName, diskSizeGb = '10', diskType, sourceImage, labels } = disk.initializeParams ?? {};
      const name = diskName ?? (index === 0 ? instance.name : `${instance.name}-${index}`);
      const key = address(instance.zone, name);
      const type = diskTypeOf(diskType);
      quotas.take(regionOf(instance.zone), { [sizeMetric(type)]: Number(diskSizeGb) });
      disks.set(key, {
        kind: 'compute#disk',
        id: newId(),
        name,
        status: 'READY',
        sizeGb: diskSizeGb,
        type: link(`projects/${project}/zones/${instance.zone}/diskTypes/${type}`),
        zone: link(`projects/${project}/zones/${instance.zone}`),
        selfLink: link(key),
        creationTimestamp: timestamp(new Date()),
        physicalBlockSizeBytes: '4096',
        users: [link(instance.resource)],
        ...(sourceImage === undefined ? {} : { sourceImage }),
        ...(labels === undefined ? {} : { labels }),
      });
      if (disk.autoDelete === true && faults.takesDisk(instance.name)) autoDeleted.add(key);
      return {
        kind: 'compute#attachedDisk',
        type: 'PERSISTENT',
        mode: 'READ_WRITE',
        source: link(key),
        deviceName: disk.deviceName ?? `persistent-disk-${index}`,
        index,
        boot: disk.boot === true,
        autoDelete: disk.autoDelete === true,
        interface: 'SCSI',
        diskSizeGb,
      };
    });

  const read = ({ params }: Call): Json => {
    const zone = requireZone(world, params['zone']);
    const key = address(zone, params['disk'] ?? '');
    const disk = disks.get(key);
    if (disk === undefined) throw notFound(key);
    return disk;
  };
  const inZone = (zone: string) => [...disks.values()].filter((disk) => lastOf(String(disk['zone'])) === zone);

  return {
    attach,
    all: () => [...disks.values()],
    detach: ({ resource, zone }) => {
      for (const [key, disk] of disks) {
        if (!(disk['users'] as string[] | undefined)?.includes(link(resource))) continue;
        if (autoDeleted.has(key)) remove(key, zone);
        else delete disk['users'];
      }
    },
    handlers: {
      'compute.disks.get': (call) => {
        requireProject(world, call.params['project']);
        return read(call);
      },
      'compute.disks.list': ({ params, query }) => {
        requireProject(world, params['project']);
        const zone = requireZone(world, params['zone']);
        return {
          kind: 'compute#diskList',
          id: `projects/${project}/zones/${zone}/disks`,
          ...page(inZone(zone), query),
        };
      },
      'compute.disks.aggregatedList': ({ params, query }) => {
        requireProject(world, params['project']);
        const scopes = world.catalogue.zones.map((zone) => `zones/${zone}`);
        const { items, ...rest } = aggregatedPage('disks', scopes, (scope) => inZone(lastOf(scope)), query);
        return { kind: 'compute#diskAggregatedList', id: `projects/${project}/aggregated/disks`, items, ...rest };
      },
      'compute.disks.delete': (call) => {
        requireProject(world, call.params['project']);
        const disk = read(call);
        const zone = call.params['zone'] ?? '';
        const resource = address(zone, String(disk['name']));
        const [user] = (disk['users'] as string[] | undefined) ?? [];
        if (user !== undefined)
          throw new ApiError(
            400,
            'resourceInUseByAnotherResource',
            `The disk resource '${resource}' is already being used by '${user.slice(user.indexOf('projects/'))}'`,
          );
        return operations.start({
          scope: `zones/${zone}`,
          type: 'delete',
          target: { resource, id: String(disk['id']) },
          user: call.principal,
          run: () => remove(resource, zone),
        });
      },
    },
  };
}

function sizeMetric(type: string): string {
  if (type === 'hyperdisk-balanced') return 'HDB_TOTAL_GB';
  return type === 'pd-standard' ? 'DISKS_TOTAL_GB' : 'SSD_TOTAL_GB';
}
