import { permissionDenied } from './errors.ts';

/** What Compute Engine's and Cloud TPU's references name under "IAM permissions" for each method. IAM knows none of queued resources: those of nodes hold. */
const required: Record<string, string[]> = {
  'compute.acceleratorTypes.aggregatedList': ['compute.acceleratorTypes.list'],
  'compute.acceleratorTypes.get': ['compute.acceleratorTypes.get'],
  'compute.acceleratorTypes.list': ['compute.acceleratorTypes.list'],
  'compute.disks.aggregatedList': ['compute.disks.list'],
  'compute.disks.delete': ['compute.disks.delete'],
  'compute.disks.get': ['compute.disks.get'],
  'compute.disks.list': ['compute.disks.list'],
  'compute.globalOperations.get': ['compute.globalOperations.get'],
  'compute.globalOperations.list': ['compute.globalOperations.list'],
  'compute.globalOperations.wait': ['compute.globalOperations.get'],
  'compute.images.get': ['compute.images.get'],
  'compute.images.getFromFamily': ['compute.images.getFromFamily'],
  'compute.instances.aggregatedList': ['compute.instances.list'],
  'compute.instances.delete': ['compute.instances.delete'],
  'compute.instances.get': ['compute.instances.get'],
  'compute.instances.getSerialPortOutput': ['compute.instances.getSerialPortOutput'],
  // What the instance is made of adds to it: see `insertPermissions`.
  'compute.instances.insert': ['compute.instances.create', 'compute.disks.create', 'compute.subnetworks.use'],
  'compute.instances.list': ['compute.instances.list'],
  'compute.instances.stop': ['compute.instances.stop'],
  'compute.machineTypes.aggregatedList': ['compute.machineTypes.list'],
  'compute.machineTypes.get': ['compute.machineTypes.get'],
  'compute.machineTypes.list': ['compute.machineTypes.list'],
  'compute.projects.get': ['compute.projects.get'],
  'compute.regionOperations.get': ['compute.regionOperations.get'],
  'compute.regionOperations.list': ['compute.regionOperations.list'],
  'compute.regionOperations.wait': ['compute.regionOperations.get'],
  'compute.regions.get': ['compute.regions.get'],
  'compute.regions.list': ['compute.regions.list'],
  'compute.zoneOperations.get': ['compute.zoneOperations.get'],
  'compute.zoneOperations.list': ['compute.zoneOperations.list'],
  'compute.zoneOperations.wait': ['compute.zoneOperations.get'],
  'compute.zones.get': ['compute.zones.get'],
  'compute.zones.list': ['compute.zones.list'],
  'tpu.projects.locations.acceleratorTypes.get': ['tpu.acceleratortypes.get'],
  'tpu.projects.locations.acceleratorTypes.list': ['tpu.acceleratortypes.list'],
  'tpu.projects.locations.get': ['tpu.locations.get'],
  'tpu.projects.locations.list': ['tpu.locations.list'],
  'tpu.projects.locations.nodes.delete': ['tpu.nodes.delete'],
  'tpu.projects.locations.nodes.get': ['tpu.nodes.get'],
  'tpu.projects.locations.nodes.list': ['tpu.nodes.list'],
  'tpu.projects.locations.operations.get': ['tpu.operations.get'],
  'tpu.projects.locations.operations.list': ['tpu.operations.list'],
  'tpu.projects.locations.queuedResources.create': ['tpu.nodes.create'],
  'tpu.projects.locations.queuedResources.delete': ['tpu.nodes.delete'],
  'tpu.projects.locations.queuedResources.get': ['tpu.nodes.get'],
  'tpu.projects.locations.queuedResources.list': ['tpu.nodes.list'],
  'tpu.projects.locations.runtimeVersions.get': ['tpu.runtimeversions.get'],
  'tpu.projects.locations.runtimeVersions.list': ['tpu.runtimeversions.list'],
};

export function permissionsOf(methodId: string): string[] {
  const found = required[methodId];
  if (found === undefined) throw new Error(`The emulator does not know what ${methodId} requires.`);
  return found;
}

export type Permissions = {
  /** Gives an account what it may do; one that was never given anything may do everything. */
  grant: (email: string, permissions: readonly string[]) => void;
  /** Takes it from everyone, in the middle of whatever runs. */
  revoke: (permission: string) => void;
  restore: (permission: string) => void;
  /** All that an account was ever asked to have. */
  asked: (email: string) => string[];
  /** @throws ApiError 403. */
  check: (email: string, permissions: readonly string[], resource: string) => void;
};

export function createPermissions(): Permissions {
  const granted = new Map<string, Set<string>>();
  const revoked = new Set<string>();
  const asked = new Map<string, Set<string>>();
  return {
    grant: (email, permissions) => void granted.set(email, new Set(permissions)),
    revoke: (permission) => void revoked.add(permission),
    restore: (permission) => void revoked.delete(permission),
    asked: (email) => [...(asked.get(email) ?? [])],
    check: (email, permissions, resource) => {
      asked.set(email, new Set([...(asked.get(email) ?? []), ...permissions]));
      const missing = permissions.find(
        (permission) => revoked.has(permission) || granted.get(email)?.has(permission) === false,
      );
      if (missing !== undefined) throw permissionDenied(missing, resource);
    },
  };
}
