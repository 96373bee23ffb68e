import type { protos } from '@google-cloud/compute';
import type { InstanceRequest } from '../provider.ts';
import { toLabels } from './labels.ts';
import { bootImageOf, diskTypeOf, isFlexStart, partsOf } from './machines.ts';
import type { GcpSettings } from './settings.ts';

export type InstanceBody = protos.google.cloud.compute.v1.IInstance;

const bytesPerGiB = 1024 ** 3;

/** How long machines may run, at least and at most. */
const runSeconds = { shortest: 30, longest: 120 * 86_400 };
const flexRunSeconds = { shortest: 600, longest: 7 * 86_400 };

/** All that Compute Engine is told of a machine. Pure: the same request is the same body. */
export function instanceBody(
  request: InstanceRequest,
  settings: GcpSettings,
  metadata: Record<string, string>,
): InstanceBody {
  const { name, zone, market, accelerators } = request;
  const isFlex = isFlexStart({ market, kind: accelerators.kind }, settings);
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
    scheduling: schedulingOf(request, isFlex),
    ...(isFlex
      ? {
          params: { requestValidForDuration: { seconds: settings.capacityWaitSeconds ?? 300 } },
          reservationAffinity: { consumeReservationType: 'NO_RESERVATION' },
        }
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

/** Set once: the scheduling of a machine that runs can't be changed. */
function schedulingOf(request: InstanceRequest, isFlex: boolean): protos.google.cloud.compute.v1.IScheduling {
  const { shortest, longest } = isFlex ? flexRunSeconds : runSeconds;
  return {
    provisioningModel: request.market === 'spot' ? 'SPOT' : isFlex ? 'FLEX_START' : 'STANDARD',
    onHostMaintenance: 'TERMINATE',
    automaticRestart: false,
    maxRunDuration: { seconds: Math.min(Math.max(Math.ceil(request.maxRunSeconds), shortest), longest) },
    instanceTerminationAction: 'DELETE',
  };
}

/** Who has no image to pull needs no account: all else goes by signed URLs. */
function accountsOf({ image }: InstanceRequest, { serviceAccount }: GcpSettings) {
  if (serviceAccount === undefined || image === null) return [];
  return [{ email: serviceAccount, scopes: ['https://www.googleapis.com/auth/devstorage.read_only'] }];
}
