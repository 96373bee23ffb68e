import { setTimeout as sleep } from 'node:timers/promises';
import type { protos } from '@google-cloud/tpu';
import { WeirError } from '../../core/errors.ts';
import type { InstanceRequest, SeenInstance } from '../provider.ts';
import { answerOf, answerOfStatus } from './answers.ts';
import { callOptions, isPassing, pastFailures, persist, unlessGone } from './call.ts';
import { judge } from './faults.ts';
import { askedOf, type GcpContext } from './instances.ts';
import { fromLabels, installationLabel, requestIdOf, toLabelValue } from './labels.ts';
import { refusal } from './refusals.ts';
import { hostsLabel, parentOf, queuedResource, sliceIdOf, type QueuedResource } from './slice-body.ts';

type State = protos.google.cloud.tpu.v2.QueuedResourceState.State;
type StateName = keyof typeof protos.google.cloud.tpu.v2.QueuedResourceState.State;

const stateNames: StateName[] = [
  'STATE_UNSPECIFIED',
  'CREATING',
  'ACCEPTED',
  'PROVISIONING',
  'FAILED',
  'DELETING',
  'ACTIVE',
  'SUSPENDING',
  'SUSPENDED',
  'WAITING_FOR_RESOURCES',
];

/** The client gives a state by its number or by its name. */
export function stateOf({ state }: QueuedResource): StateName {
  const given: State | StateName | null | undefined = state?.state;
  return (typeof given === 'number' ? stateNames[given] : given) ?? 'STATE_UNSPECIFIED';
}

/** So long one launch looks after a slice that waits for capacity; the next launch goes on. */
const longestLookMs = 45_000;
/** Between looks, at first and at most: a slice that there is room for is there in minutes. */
const firstRestMs = 100;
const longestRestMs = 3_000;

/**
 * Asks for the slice that this host belongs to, where nobody has, and waits until it is there. Each host of an attempt comes here;
 * the first one asks for all.
 * @returns since when it is paid: since the node is READY, which is now where this call saw it come up. Where it was there before,
 * since the node was made: Cloud TPU tells no later moment.
 */
export async function createSlice(
  request: InstanceRequest,
  metadata: Record<string, string>,
  context: GcpContext,
): Promise<Date | undefined> {
  const asked = askedOf(request, context.settings);
  const until = performance.now() + longestLookMs;
  let hasSeen = false;
  let hasWaited = false;
  let creation: Creation | undefined;
  try {
    for (let restMs = firstRestMs; ; restMs = Math.min(restMs * 1.5, longestRestMs)) {
      const found = await findSlice(request, context);
      // Whoever deleted it meanwhile did so since nobody wants it any more.
      if (found === undefined && hasSeen)
        throw new WeirError('unavailable', `The slice was deleted in ${request.zone} while it came up.`);
      if (found === undefined) creation = await (creation ? look(creation) : askForSlice(request, metadata, context));
      else if (isUp(found, request, context)) return hasWaited ? new Date() : await startOf(request, context);
      if (performance.now() > until) throw new WeirError('unavailable', waitingIn(request.zone, found));
      hasSeen ||= found !== undefined;
      hasWaited = true;
      await sleep(restMs);
    }
  } catch (error) {
    throw error instanceof WeirError ? error : refusal(answerOf(error), asked, error);
  }
}

/** @throws WeirError where it never will be. */
function isUp(found: QueuedResource, request: InstanceRequest, context: GcpContext): boolean {
  const state = stateOf(found);
  if (state === 'FAILED') throw failure(found, request, context);
  if (state === 'SUSPENDING' || state === 'SUSPENDED') {
    const answer = answerOfStatus({ message: 'Stockout: the slice was taken away while it came up.' });
    throw refusal(answer, askedOf(request, context.settings));
  }
  return state === 'ACTIVE';
}

function waitingIn(zone: string, found: QueuedResource | undefined): string {
  return `The slice waits for capacity in ${zone}: ${found === undefined ? 'CREATING' : stateOf(found)}.`;
}

async function findSlice({ name, zone }: InstanceRequest, { settings, clients }: GcpContext) {
  const tpu = await (await clients()).tpu();
  const path = `${parentOf(settings, zone)}/queuedResources/${sliceIdOf(name)}`;
  return (await unlessGone(() => tpu.getQueuedResource({ name: path }, callOptions)))?.[0];
}

/** The operation of asking for a slice. Where it fails, the slice never appears. */
type Creation = { name?: string | null; error?: Error | null; getOperation: () => Promise<unknown> };

/** Undefined where it is there already. @throws what Google answered, at once or by the operation. */
async function askForSlice(
  request: InstanceRequest,
  metadata: Record<string, string>,
  { settings, clients }: GcpContext,
): Promise<Creation | undefined> {
  const tpu = await (await clients()).tpu();
  const body = queuedResource(request, settings, metadata);
  const parent = parentOf(settings, request.zone);
  const ask = async (...failed: string[]): Promise<Creation> => {
    const requestId = requestIdOf('queue', request.zone, JSON.stringify(body), ...failed);
    const asked = { parent, queuedResourceId: sliceIdOf(request.name), queuedResource: body, requestId };
    return (await persist(() => tpu.createQueuedResource(asked, callOptions)))[0];
  };
  try {
    return requireNoError(await pastFailures(ask, failedBefore));
  } catch (error) {
    if (judge(answerOf(error)).is === 'there-already') return undefined;
    throw error;
  }
}

/** The name of an operation that a launch before this one began, and that failed by what passes. */
function failedBefore({ name, error }: Creation): string | undefined {
  return error && isPassing(answerOf(error)) ? (name ?? undefined) : undefined;
}

function requireNoError(creation: Creation): Creation {
  if (creation.error) throw creation.error;
  return creation;
}

/** Reads how far the operation is. @throws why it failed. */
async function look(creation: Creation): Promise<Creation> {
  const read = () =>
    creation.getOperation().catch((error: unknown) => {
      if (!creation.error) throw error;
    });
  await persist(read).catch((cause: unknown) => {
    throw new WeirError('unavailable', 'Cloud TPU does not say how far the slice is.', { cause });
  });
  return requireNoError(creation);
}

/** The node is made when there is capacity, not when it was asked for. */
async function startOf({ name, zone }: InstanceRequest, { settings, clients }: GcpContext): Promise<Date | undefined> {
  const tpu = await (await clients()).tpu();
  const path = `${parentOf(settings, zone)}/nodes/${sliceIdOf(name)}`;
  const [node] = (await unlessGone(() => tpu.getNode({ name: path }, callOptions))) ?? [];
  const seconds = Number(node?.createTime?.seconds ?? Number.NaN);
  return Number.isNaN(seconds) ? undefined : new Date(seconds * 1000);
}

/** Beyond its time a request fails without a word of capacity. */
const expiryTexts = /valid.?until|expired|deadline|timed? ?out|could not be (fulfilled|provisioned)/i;

function failure(found: QueuedResource, request: InstanceRequest, { settings }: GcpContext): WeirError {
  const status = found.state?.failedData?.error ?? {};
  const message = status.message ?? '';
  const isExpired = message === '' || expiryTexts.test(message);
  const answer = answerOfStatus(isExpired ? { message: `Stockout: ${message}` } : status);
  return refusal(answer, askedOf(request, settings));
}

/** Asks for the end of the slice with all its hosts. */
export async function deleteSlice({ name, zone }: { name: string; zone: string }, context: GcpContext): Promise<void> {
  const { settings, clients } = context;
  const tpu = await (await clients()).tpu();
  const id = sliceIdOf(name);
  const parent = parentOf(settings, zone);
  const asked = await unlessUnderWay(() =>
    tpu.deleteQueuedResource({ name: `${parent}/queuedResources/${id}`, force: true }, callOptions),
  );
  if (asked === undefined) await unlessUnderWay(() => tpu.deleteNode({ name: `${parent}/nodes/${id}` }, callOptions));
}

/** What is being deleted can't be deleted again; it is listed until it is gone. */
async function unlessUnderWay(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await unlessGone(call);
  } catch (error) {
    const answer = answerOf(error);
    const { rpcCode } = answer;
    if (rpcCode === failedPrecondition || rpcCode === aborted) return 'under way';
    const fault = judge(answer);
    // A zone without TPUs has no slice of ours either. Should it only be barred from us, the list goes on showing what is there.
    if (fault.is === 'refused' && fault.because === 'zone') return undefined;
    throw error;
  }
}

const failedPrecondition = 9;
const aborted = 10;

/**
 * The hosts of every slice of ours that exists or may come to. A slice that was taken away has none any more; what is left of its request
 * is deleted on the way.
 */
export async function listSlices(context: GcpContext, onError: (error: unknown) => void): Promise<SeenInstance[]> {
  const { settings, clients, installation } = context;
  const tpu = await (await clients()).tpu();
  const parent = parentOf(settings, '-');
  const ours = (labels: Record<string, string> | null | undefined) =>
    labels?.[installationLabel] === toLabelValue(installation);
  const seen = new Map<string, SeenInstance[]>();
  const once = { ...callOptions, autoPaginate: false };
  await eachPage(async (pageToken) => {
    const [resources, , page] = await tpu.listQueuedResources({ parent, pageSize, pageToken }, once);
    for (const resource of resources) {
      const node = resource.tpu?.nodeSpec?.[0]?.node;
      if (!ours(node?.labels)) continue;
      const { id, zone } = placeIn(resource.name);
      if (stateOf(resource) === 'SUSPENDED') await deleteSlice({ name: `${id}-0`, zone }, context).catch(onError);
      else seen.set(`${zone}/${id}`, hostsOf(id, zone, node?.labels ?? {}));
    }
    return page;
  });
  await eachPage(async (pageToken) => {
    const [nodes, , page] = await tpu.listNodes({ parent, pageSize, pageToken }, once);
    for (const node of nodes) {
      const { id, zone } = placeIn(node.name);
      if (ours(node.labels) && !isTakenAway(node)) seen.set(`${zone}/${id}`, hostsOf(id, zone, node.labels ?? {}));
    }
    return page;
  });
  return [...seen.values()].flat();
}

const pageSize = 500;

type Page = { nextPageToken?: string | null; unreachable?: string[] | null } | undefined;

/**
 * What a zone that does not answer has is not known, and nothing may be concluded from its silence.
 * @throws WeirError `unavailable` where a page lacks one.
 */
async function eachPage(read: (pageToken: string) => Promise<Page>): Promise<void> {
  let pageToken = '';
  do {
    const page = await persist(() => read(pageToken));
    const [place] = page?.unreachable ?? [];
    if (place !== undefined) throw new WeirError('unavailable', `Cloud TPU does not reach ${place} now.`);
    pageToken = page?.nextPageToken ?? '';
  } while (pageToken !== '');
}

function isTakenAway({ state }: protos.google.cloud.tpu.v2.INode): boolean {
  return state === 'PREEMPTED' || state === preempted;
}

const preempted = 11;

function hostsOf(id: string, zone: string, labels: Record<string, string>): SeenInstance[] {
  const count = Number(labels[hostsLabel] ?? 1);
  return Array.from({ length: count }, (_, node) => ({ name: `${id}-${node}`, zone, labels: fromLabels(labels) }));
}

function placeIn(name: string | null | undefined): { id: string; zone: string } {
  const [, , , zone = '', , id = ''] = (name ?? '').split('/');
  return { id, zone };
}
