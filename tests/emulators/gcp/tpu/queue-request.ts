import type { ApiError } from '../errors.ts';
import type { World } from '../world.ts';
import { acceleratorUnknown, invalid } from './answers.ts';
import { runtimeVersions, type SliceCatalogue, type SliceType } from './slice-types.ts';
import { accountOf } from './hosts.ts';
import type { NodeBody, QueuedResourceBody } from './slice.ts';

export type Asked = {
  id: string;
  nodeId: string;
  zone: string;
  type: SliceType;
  body: QueuedResourceBody;
  node: NodeBody;
};

const idPattern = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const labelPattern = /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u;

/** @throws ApiError as Cloud TPU answers a request that can't be carried out, before there is an operation. */
export function checkQueuedResource(
  zone: string,
  id: string | undefined,
  body: QueuedResourceBody,
  { world, catalogue }: { world: World; catalogue: SliceCatalogue },
): Asked {
  const types = catalogue.typesIn(zone);
  const [spec] = body.tpu?.nodeSpec ?? [];
  if (id === undefined || !idPattern.test(id)) throw malformed('queued_resource_id', id);
  if (spec?.node === undefined) throw invalid('Exactly one resource has to be requested: tpu.node_spec is missing.');
  const { node, nodeId, parent } = spec;
  if (nodeId === undefined || !idPattern.test(nodeId)) throw malformed('node_id', nodeId);
  if (parent !== `projects/${world.project}/locations/${zone}`) throw malformed('parent', parent);
  const type = types.find(({ name }) => name === node.acceleratorType);
  if (type === undefined) throw acceleratorUnknown(String(node.acceleratorType), zone);
  checkNode(node, world);
  if (body.spot !== undefined && node.schedulingConfig?.spot === false)
    throw malformed('scheduling_config.spot', 'false');
  return { id, nodeId, zone, type, body, node };
}

function checkNode(node: NodeBody, world: World): void {
  const { runtimeVersion, labels = {}, serviceAccount } = node;
  if (!runtimeVersions.includes(runtimeVersion ?? '')) throw malformed('runtime_version', runtimeVersion);
  for (const [key, value] of Object.entries(labels))
    if (!labelPattern.test(key) || !labelPattern.test(value)) throw malformed('labels', `${key}=${value}`);
  const { email } = accountOf({ body: node }, world);
  if (serviceAccount !== undefined && !world.tokens.hasAccount(email))
    throw invalid(`Service account ${email} does not exist.`);
}

function malformed(field: string, value: string | undefined): ApiError {
  return invalid(`Cloud TPU received an invalid argument. The field "${field}" cannot be "${value ?? ''}".`);
}
