import type { protos } from '@google-cloud/tpu';
import type { InstanceRequest } from '../provider.ts';
import { toLabels } from './labels.ts';
import type { GcpSettings } from './settings.ts';
import { sliceTypeOf } from './slice-types.ts';

export type QueuedResource = protos.google.cloud.tpu.v2.IQueuedResource;

/** How many hosts a slice has, where its nodes are listed. */
export const hostsLabel = 'weir-hosts';

/** The slice that a host belongs to: all hosts of an attempt are one. */
export function sliceIdOf(name: string): string {
  return name.replace(/-\d+$/, '');
}

export function parentOf({ projectId }: Pick<GcpSettings, 'projectId'>, zone: string): string {
  return `projects/${projectId}/locations/${zone}`;
}

/** All that Cloud TPU is told of a slice: one request for capacity, of one node with all its hosts. Pure. */
export function queuedResource(
  request: InstanceRequest,
  settings: GcpSettings,
  metadata: Record<string, string>,
): QueuedResource {
  const { name, zone, machineType, market, region, labels, gang } = request;
  const parent = parentOf(settings, zone);
  const node: protos.google.cloud.tpu.v2.INode = {
    acceleratorType: machineType,
    runtimeVersion: sliceTypeOf(machineType)?.runtime ?? '',
    networkConfig: {
      network: `projects/${settings.projectId}/global/networks/${settings.network ?? 'default'}`,
      ...(settings.subnetwork === undefined
        ? {}
        : { subnetwork: `projects/${settings.projectId}/regions/${region}/subnetworks/${settings.subnetwork}` }),
      enableExternalIps: settings.externalAddresses === true,
    },
    // Without one Cloud TPU takes the project's default account, which may do everything.
    ...(settings.serviceAccount === undefined
      ? {}
      : {
          serviceAccount: {
            email: settings.serviceAccount,
            scope: ['https://www.googleapis.com/auth/devstorage.read_only'],
          },
        }),
    schedulingConfig: { spot: market === 'spot' },
    labels: { ...toLabels(labels), [hostsLabel]: String(gang.bootstrapTokens.length) },
    metadata,
    tags: settings.networkTags ?? [],
  };
  return {
    tpu: { nodeSpec: [{ parent, nodeId: sliceIdOf(name), node }] },
    ...(market === 'spot' ? { spot: {} } : {}),
    queueingPolicy: { validUntilDuration: { seconds: settings.capacityWaitSeconds ?? 300 } },
  };
}
