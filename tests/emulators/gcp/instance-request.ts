import { gpuMetric, cpuMetric, type Use } from './quotas.ts';
import { ApiError, invalidValue, notFound } from './errors.ts';
import { lastOf, resourceOf } from './links.ts';
import { machineTypes, regionOf, type MachineType } from './catalogue.ts';
import { isSpot, type Accelerators, type InstanceBody } from './instance-body.ts';
import { checkProvisioningModel, checkScheduling } from './scheduling.ts';
import type { World } from './world.ts';

const namePattern = /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const labelPattern = /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u;
/** Projects whose images everyone may use. */
const imageProjects = [
  'cos-cloud',
  'debian-cloud',
  'deeplearning-platform-release',
  'rocky-linux-accelerator-cloud',
  'ubuntu-os-accelerator-images',
  'ubuntu-os-cloud',
];

/** @throws ApiError as Compute Engine answers a request that can't be carried out, before there is an operation. */
export function checkInstance(
  body: InstanceBody,
  zone: string,
  world: World,
): { type: MachineType; accelerators: Accelerators | undefined } {
  if (!namePattern.test(body.name ?? ''))
    throw invalidValue('resource.name', body.name, `Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'`);
  checkLabels(body.labels ?? {});
  checkMetadata(body);
  const type = machineTypeOf(body, zone, world);
  const accelerators = acceleratorsOf(body, type, zone, world);
  checkScheduling(body, accelerators);
  checkProvisioningModel(body, type.name);
  checkDisks(body, type, world);
  checkNetwork(body, zone);
  for (const { email } of body.serviceAccounts ?? []) {
    if (email !== 'default' && !world.tokens.hasAccount(email))
      throw new ApiError(400, 'invalid', `The resource '${email}' of type 'serviceAccount' was not found.`);
  }
  return { type, accelerators };
}

function checkNetwork({ networkInterfaces = [] }: InstanceBody, zone: string): void {
  if (networkInterfaces.length === 0)
    throw invalidValue('resource.networkInterfaces', '', 'At least one network interface is required.');
  for (const { subnetwork } of networkInterfaces)
    if (subnetwork !== undefined && !resourceOf(subnetwork).includes(`/regions/${regionOf(zone)}/`))
      throw invalidValue(
        'resource.networkInterfaces[0].subnetwork',
        resourceOf(subnetwork),
        'The referenced subnetwork must be in the region of the instance.',
      );
}

function checkLabels(labels: Record<string, string>): void {
  if (Object.keys(labels).length > 64) throw invalidValue('resource.labels', '', 'Labels can have at most 64 pairs.');
  for (const [key, value] of Object.entries(labels)) {
    if (!labelPattern.test(key) || !/^\p{Ll}/u.test(key))
      throw invalidValue(
        'resource.labels',
        key,
        'Label keys start with a lowercase letter and have at most 63 of [a-z0-9_-].',
      );
    if (!labelPattern.test(value))
      throw invalidValue('resource.labels', value, `Label value '${value}' violates format constraints.`);
  }
}

const maxValueBytes = 256 * 1024;
const maxMetadataBytes = 512 * 1024;

function checkMetadata({ metadata }: InstanceBody): void {
  const items = metadata?.items ?? [];
  if (new Set(items.map(({ key }) => key)).size < items.length)
    throw invalidValue('resource.metadata', '', 'Duplicate keys.');
  for (const { key, value } of items) {
    if (!/^[a-zA-Z0-9-_]{1,128}$/.test(key)) throw invalidValue('resource.metadata.items[].key', key, 'Invalid key.');
    if (Buffer.byteLength(value) > maxValueBytes)
      throw invalidValue('resource.metadata.items[].value', key, 'Value is too large: maximum size 262144 bytes.');
  }
  const bytes = items.reduce((sum, { key, value }) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  if (bytes > maxMetadataBytes)
    throw invalidValue('resource.metadata', '', 'Metadata is too large: maximum total size 524288 bytes.');
}

function machineTypeOf({ machineType }: InstanceBody, zone: string, { catalogue }: World): MachineType {
  const address = resourceOf(machineType ?? '');
  const found = /^(?:projects\/[^/]+\/)?zones\/([^/]+)\/machineTypes\/([^/]+)$/.exec(address);
  if (found === null || found[1] !== zone)
    throw invalidValue(
      'resource.machineType',
      machineType,
      'The URL is malformed, or not of the zone of the instance.',
    );
  const type = catalogue.machineTypesIn(zone).find(({ name }) => name === found[2]);
  if (type !== undefined) return type;
  const exists = machineTypes.some(({ name }) => name === found[2]);
  throw invalidValue(
    'resource.machineType',
    machineType,
    exists
      ? `Machine type with name '${found[2]}' does not exist in zone '${zone}'.`
      : 'The referenced resource does not exist.',
  );
}

function acceleratorsOf(body: InstanceBody, type: MachineType, zone: string, world: World): Accelerators | undefined {
  const [guest] = body.guestAccelerators ?? [];
  if (guest === undefined || type.accelerators !== undefined) return type.accelerators;
  const name = lastOf(guest.acceleratorType);
  if (!world.catalogue.acceleratorTypesIn(zone).includes(name))
    throw new ApiError(
      404,
      'notFound',
      `The resource 'projects/${world.project}/zones/${zone}/acceleratorTypes/${name}' was not found`,
    );
  if (!type.name.startsWith('n1-'))
    throw new ApiError(400, 'badRequest', `[${name}, ${type.name}] features are not compatible for creating instance.`);
  return { type: name, count: guest.acceleratorCount };
}

function checkDisks({ disks = [] }: InstanceBody, type: MachineType, { project }: World): void {
  const boot = disks.filter(({ boot: isBoot }) => isBoot === true);
  if (boot.length !== 1) throw invalidValue('resource.disks', '', 'Exactly one boot disk must be specified.');
  const takesPersistentDisk = !/^(a3-ultragpu|a4)-/.test(type.name);
  const takesHyperdisk = /^(a3|a4)-/.test(type.name);
  for (const { initializeParams } of disks) {
    checkImage(initializeParams?.sourceImage, project);
    const diskType = diskTypeOf(initializeParams?.diskType);
    if (!(diskType.startsWith('pd-') ? takesPersistentDisk : takesHyperdisk))
      throw new ApiError(
        400,
        'badRequest',
        `[${diskType}, ${type.name}] features are not compatible for creating instance.`,
      );
  }
}

function checkImage(sourceImage: string | undefined, project: string): void {
  if (sourceImage === undefined) return;
  const image = resourceOf(sourceImage);
  const owner = /^projects\/([^/]+)\/global\/images\/(?:family\/)?[^/]+$/.exec(image)?.[1];
  if (owner === undefined)
    throw invalidValue('resource.disks[0].initializeParams.sourceImage', image, 'The URL is malformed.');
  if (owner !== project && !imageProjects.includes(owner)) throw notFound(image);
}

export function diskTypeOf(address: string | undefined): string {
  return address === undefined ? 'pd-standard' : lastOf(address);
}

/** The permissions that what the instance is made of adds. */
export function insertPermissions(body: InstanceBody, project: string): string[] {
  const isOwnImage = (body.disks ?? []).some(({ initializeParams }) =>
    resourceOf(initializeParams?.sourceImage ?? '').startsWith(`projects/${project}/`),
  );
  const needed: [boolean, string][] = [
    [body.labels !== undefined, 'compute.instances.setLabels'],
    [body.metadata !== undefined, 'compute.instances.setMetadata'],
    [body.tags !== undefined, 'compute.instances.setTags'],
    [(body.serviceAccounts ?? []).length > 0, 'compute.instances.setServiceAccount'],
    [(body.serviceAccounts ?? []).length > 0, 'iam.serviceAccounts.actAs'],
    [
      (body.disks ?? []).some(({ initializeParams }) => initializeParams?.labels !== undefined),
      'compute.disks.setLabels',
    ],
    [
      (body.networkInterfaces ?? []).some(({ accessConfigs }) => (accessConfigs ?? []).length > 0),
      'compute.subnetworks.useExternalIp',
    ],
    [isOwnImage, 'compute.images.useReadOnly'],
  ];
  return needed.filter(([isNeeded]) => isNeeded).map(([, permission]) => permission);
}

export function useOf(
  body: InstanceBody,
  { type, accelerators }: { type: MachineType; accelerators?: Accelerators | undefined },
  isGiven: (metric: string) => boolean,
): Use {
  const spot = isSpot(body) || body.scheduling?.provisioningModel === 'FLEX_START';
  const cpus = cpuMetric(type.name, spot && isGiven('PREEMPTIBLE_CPUS'));
  const gpusOfSpot = accelerators !== undefined && spot && isGiven(gpuMetric(accelerators.type, true));
  const external = (body.networkInterfaces ?? []).filter(
    ({ accessConfigs }) => (accessConfigs ?? []).length > 0,
  ).length;
  return {
    INSTANCES: 1,
    ...(cpus === undefined ? {} : { [cpus]: type.cpus }),
    ...(external === 0 ? {} : { IN_USE_ADDRESSES: external }),
    ...(accelerators === undefined
      ? {}
      : {
          [gpuMetric(accelerators.type, gpusOfSpot)]: accelerators.count,
          ...(gpusOfSpot ? {} : { GPUS_ALL_REGIONS: accelerators.count }),
        }),
  };
}
