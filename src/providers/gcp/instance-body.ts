import type { protos } from '@google-cloud/compute';
import type { InstanceRequest } from '../provider.ts';
import { toLabels } from './labels.ts';
import { bootImageOf, diskTypeOf, partsOf } from './machines.ts';
import type { GcpSettings } from './settings.ts';

export type InstanceBody = protos.google.cloud.compute.v1.IInstance;

const bytesPerGiB = 1024 ** 3;

/** Flex-start machines run no longer than this; others up to 120 days. */
const longestFlexSeconds = 7 * 86_400;
const longestRunSeconds = 120 * 86_400;

/** All that Compute Engine is told of a machine. Pure: the same request is the same body. */
export function instanceBody(
  request: InstanceRequest,
  settings: GcpSettings,
  metadata: Record<string, string>,
): InstanceBody {
  const { name, zone } = request;
  const { machineType, attached } = partsOf(request.machineType);
  const labels = toLabels(request.labels);
  return {
    name,
    labels,
    machineType: `zones/${zone}/machineTypes/${machineType}`,
    disks: [bootDisk(request, settings, labels)],
    guestAccelerators:
      attached === undefined
        ? []
        : [
            {
              acceleratorType: `projects/${settings.projectId}/zones/${zone}/acceleratorTypes/${attached.type}`,
              acceleratorCount: attached.count,
            },
          ],
    networkInterfaces: [networkInterface(request, settings)],
    scheduling: schedulingOf(request, settings),
    ...(isFlexStart(request, settings)
      ? { params: { requestValidForDuration: { seconds: settings.capacityWaitSeconds ?? 300 } } }
      : {}),
    serviceAccounts: accountsOf(request, settings),
    // Secure boot would refuse the NVIDIA drivers of images that are not signed for it; measured boot takes them.
    shieldedInstanceConfig: {
      enableVtpm: true,
      enableIntegrityMonitoring: true,
      enableSecureBoot: request.accelerators.kind === 'cpu',
    },
    metadata: { items: Object.entries(metadata).map(([key, value]) => ({ key, value })) },
    tags: { items: settings.networkTags ?? [] },
    deletionProtection: false,
  };
}

function bootDisk(
  { limits, accelerators, machineType, zone }: InstanceRequest,
  settings: GcpSettings,
  labels: Record<string, string>,
): protos.google.cloud.compute.v1.IAttachedDisk {
  const { image, imageGiB } = bootImageOf(accelerators.kind !== 'cpu', settings);
  return {
    boot: true,
    autoDelete: true,
    initializeParams: {
      sourceImage: image,
      diskSizeGb: imageGiB + Math.ceil(limits.diskBytes / bytesPerGiB),
      diskType: `zones/${zone}/diskTypes/${diskTypeOf(machineType, settings)}`,
      labels,
    },
  };
}

function networkInterface(
  { region }: InstanceRequest,
  { network, subnetwork, externalAddresses, projectId }: GcpSettings,
) {
  return {
    network: `projects/${projectId}/global/networks/${network ?? 'default'}`,
    ...(subnetwork === undefined
      ? {}
      : { subnetwork: `projects/${projectId}/regions/${region}/subnetworks/${subnetwork}` }),
    accessConfigs: externalAddresses === true ? [{ name: 'External NAT', type: 'ONE_TO_ONE_NAT' }] : [],
  };
}

function isFlexStart({ market, accelerators: { kind } }: InstanceRequest, { flexStart = [] }: GcpSettings): boolean {
  return market === 'on-demand' && flexStart.some((each) => each === kind);
}

/** Set once: the scheduling of a machine that runs can't be changed. */
function schedulingOf(request: InstanceRequest, settings: GcpSettings): protos.google.cloud.compute.v1.IScheduling {
  const isFlex = isFlexStart(request, settings);
  const longest = isFlex ? longestFlexSeconds : longestRunSeconds;
  return {
    provisioningModel: request.market === 'spot' ? 'SPOT' : isFlex ? 'FLEX_START' : 'STANDARD',
    onHostMaintenance: 'TERMINATE',
    automaticRestart: false,
    maxRunDuration: { seconds: Math.min(Math.ceil(request.maxRunSeconds), longest) },
    instanceTerminationAction: 'DELETE',
  };
}

/** Who has no image to pull needs no account: all else goes by signed URLs. */
function accountsOf({ image }: InstanceRequest, { serviceAccount }: GcpSettings) {
  if (serviceAccount === undefined || image === null) return [];
  return [{ email: serviceAccount, scopes: ['https://www.googleapis.com/auth/devstorage.read_only'] }];
}
