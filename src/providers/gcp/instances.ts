import type { protos } from '@google-cloud/compute';
import { WeirError } from '../../core/errors.ts';
import type { InstanceRequest, SeenInstance } from '../provider.ts';
import { answerOf, answerOfOperation, answerOfStatus } from './answers.ts';
import { callOptions, isPassing, pastFailures, persist, unlessGone } from './call.ts';
import type { Clients } from './clients.ts';
import { judge } from './faults.ts';
import { instanceBody } from './instance-body.ts';
import { fromLabels, installationLabel, requestIdOf, toLabelValue } from './labels.ts';
import { isFlexStart } from './machines.ts';
import { refusal, type Asked } from './refusals.ts';
import { isConfigured, type GcpSettings } from './settings.ts';

export type GcpContext = {
  settings: GcpSettings;
  installation: string;
  clients: () => Promise<Clients>;
};

type Operation = protos.google.cloud.compute.v1.IOperation;

/** Compute Engine answers a `wait` after two minutes at the latest. */
const waitOptions = { timeout: 130_000, retry: null };
/** So long a launch waits for its operation; the next one waits on. */
const longestWaitMs = 240_000;

/** Asks for the machine and waits until Google has carried that out. A repeated request, with the same id, is answered with the same operation. */
export async function createInstance(
  request: InstanceRequest,
  metadata: Record<string, string>,
  { settings, clients }: GcpContext,
): Promise<Date | undefined> {
  const { projectId: project } = settings;
  const { zone } = request;
  const asked = askedOf(request, settings);
  const { instances, zoneOperations } = await clients();
  const instanceResource = instanceBody(request, settings, metadata);
  const insert = async (...failed: string[]): Promise<Operation> => {
    // Google refuses an id that comes with another body; then the name alone keeps a second machine from being made.
    const requestId = requestIdOf('insert', zone, JSON.stringify(instanceResource), ...failed);
    const body = { project, zone, requestId, instanceResource };
    const [{ latestResponse }] = await persist(() => instances.insert(body, callOptions));
    return latestResponse as Operation;
  };
  const operation = await pastFailures(insert, failedBefore).catch((error: unknown) => {
    if (judge(answerOf(error)).is === 'there-already') return undefined;
    throw refusal(answerOf(error), asked, error);
  });
  const ended = operation && (await waitFor(operation, { project, zone }, zoneOperations));
  const answer = ended && answerOfOperation(ended);
  if (answer !== undefined && judge(answer).is !== 'there-already') throw refusal(answer, asked);
  if (ended !== undefined && answer === undefined && !isFlexStart(asked, settings)) return dateOf(ended.endTime);
  return findStart(request, { settings, clients });
}

/** The name of an operation that a launch before this one began, and that failed by what passes. */
function failedBefore(operation: Operation): string | undefined {
  const answer = operation.status === 'DONE' ? answerOfOperation(operation) : undefined;
  return answer !== undefined && isPassing(answer) ? (operation.name ?? undefined) : undefined;
}

export function askedOf(
  { region, zone, machineType, market, accelerators: { kind } }: InstanceRequest,
  { projectId }: GcpSettings,
): Asked {
  return { projectId, region, zone, machineType, kind, market };
}

async function waitFor(
  begun: Operation,
  { project, zone }: { project: string; zone: string },
  zoneOperations: Clients['zoneOperations'],
): Promise<Operation> {
  const until = performance.now() + longestWaitMs;
  let operation = begun;
  while (operation.status !== 'DONE') {
    if (performance.now() > until) throw new WeirError('unavailable', `Google Cloud is still making the machine.`);
    const name = operation.name ?? '';
    [operation] = await persist(() => zoneOperations.wait({ project, zone, operation: name }, waitOptions)).catch(
      (cause: unknown) => {
        throw new WeirError('unavailable', 'Google Cloud does not say how far the machine is.', { cause });
      },
    );
  }
  return operation;
}

/** Before a machine runs nobody pays for it: a flex-start one may wait for capacity long after it was asked for. */
const comingUp = new Set(['PENDING', 'PROVISIONING', 'STAGING']);

/**
 * Since when a machine of this name runs that is there already.
 * @throws WeirError `unavailable` while it comes up; `no-capacity` where a flex-start one has waited in vain, which Google then deletes.
 */
async function findStart(
  request: InstanceRequest,
  { settings, clients }: Pick<GcpContext, 'settings' | 'clients'>,
): Promise<Date | undefined> {
  const { name, zone } = request;
  const asked = askedOf(request, settings);
  const { instances } = await clients();
  const [seen] =
    (await unlessGone(() => instances.get({ project: settings.projectId, zone, instance: name }, callOptions))) ?? [];
  if (seen === undefined && isFlexStart(asked, settings))
    throw refusal(answerOfStatus({ message: 'Stockout: it waited in vain.' }), asked);
  if (seen === undefined || comingUp.has(seen.status ?? ''))
    throw new WeirError('unavailable', `The machine comes up in ${zone}: ${seen?.status ?? 'not there yet'}.`);
  return dateOf(seen.lastStartTimestamp ?? seen.creationTimestamp);
}

function dateOf(text: string | null | undefined): Date | undefined {
  const date = new Date(text ?? '');
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** Asks for its end, and for that of a disk that it left. */
export async function deleteInstance(
  { name, zone }: { name: string; zone: string },
  { settings: { projectId: project }, clients }: GcpContext,
): Promise<void> {
  const { instances, disks } = await clients();
  const asked = await unlessGone(() => instances.delete({ project, zone, instance: name }, callOptions)).catch(
    (error: unknown) => {
      // It is being made, or going already. It is listed until it is gone, and then asked for again.
      if (judge(answerOf(error)).is === 'not-ready') return 'under way';
      throw error;
    },
  );
  // The disk has the name of its machine and goes with it; only one that has lost it is deleted alone.
  if (asked === undefined) await unlessGone(() => disks.delete({ project, zone, disk: name }, callOptions));
}

const pageSize = 500;

/** Every machine with our label, and every disk that has outlived its own. */
export async function listInstances(context: GcpContext): Promise<SeenInstance[]> {
  const { instances, disks } = await context.clients();
  const query = {
    project: context.settings.projectId,
    filter: `labels.${installationLabel}=${toLabelValue(context.installation)}`,
    maxResults: pageSize,
  };
  const seen = new Map<string, SeenInstance>();
  await persist(async () => {
    for await (const [scope, { instances: listed, warning }] of instances.aggregatedListAsync(query, callOptions)) {
      requireReached(scope, warning, context.settings);
      for (const { name, labels, status, lastStopTimestamp } of listed ?? [])
        see(seen, scope, { name, labels, stoppedAt: status === 'TERMINATED' ? dateOf(lastStopTimestamp) : undefined });
    }
  });
  await persist(async () => {
    for await (const [scope, { disks: listed, warning }] of disks.aggregatedListAsync(query, callOptions)) {
      requireReached(scope, warning, context.settings);
      for (const { name, labels } of listed ?? []) see(seen, scope, { name, labels });
    }
  });
  return [...seen.values()];
}

/** What a zone that does not answer has is not known, and nothing may be concluded from its silence. Where we make no machines, none of ours are missed. */
function requireReached(
  scope: string,
  warning: { code?: string | null } | null | undefined,
  settings: GcpSettings,
): void {
  if (warning?.code === 'UNREACHABLE' && isConfigured(zoneOf(scope), settings))
    throw new WeirError('unavailable', `Google Cloud does not reach ${scope} now.`);
}

const zoneOf = (scope: string): string => scope.replace(/^zones\//, '');

type Listed = {
  name?: string | null | undefined;
  labels?: Record<string, string> | null | undefined;
  stoppedAt?: Date | undefined;
};

function see(seen: Map<string, SeenInstance>, scope: string, { name, labels, stoppedAt }: Listed): void {
  const zone = zoneOf(scope);
  if (typeof name !== 'string' || seen.has(`${zone} ${name}`)) return;
  const off = stoppedAt === undefined ? {} : { stoppedAt };
  seen.set(`${zone} ${name}`, { name, zone, labels: fromLabels(labels ?? {}), ...off });
}

/** What ends a machine's running, whether we asked for it or Google did: operations carry these types. */
const endings = new Set([
  'delete',
  'stop',
  'compute.instances.preempted',
  'compute.instances.guestTerminate',
  'compute.instances.hostError',
  'compute.instances.terminateOnHostMaintenance',
]);

/**
 * When the machine stopped running, by the first of its operations that ended it; Google keeps them for 14 days.
 * See https://cloud.google.com/compute/docs/instances/audit-vm-operations.
 */
export async function findEnd(
  { name, zone }: { name: string; zone: string },
  { settings: { projectId: project }, clients }: GcpContext,
): Promise<Date | undefined> {
  const { zoneOperations } = await clients();
  const query = { project, zone, filter: `targetLink eq ".*/instances/${name}"`, maxResults: pageSize };
  const ends = await persist(async () => {
    const found: Date[] = [];
    for await (const { operationType, endTime, error } of zoneOperations.listAsync(query, callOptions)) {
      const at = dateOf(endTime);
      if (endings.has(operationType ?? '') && (error ?? null) === null && at !== undefined) found.push(at);
    }
    return found;
  });
  return ends.toSorted((one, other) => one.getTime() - other.getTime())[0];
}
