import { join } from 'node:path';
import { invalid, WeirError } from '../../core/errors.ts';
import type { Clock } from '../../core/time.ts';
import type { InstanceRequest, SeenInstance } from '../provider.ts';
import { deliverLeftLog, endDelivery } from './left-log.ts';
import { killAll } from './leftovers.ts';
import { isRunning, signal, type ProcessId } from './processes.ts';
import {
  ageOf,
  askedToEndAt,
  listNames,
  makeInstanceDirectory,
  markRemoved,
  readRecord,
  withClaim,
  writeRecord,
  type InstanceRecord,
} from './records.ts';
import { findRunner, startRunner, type StartOptions } from './start.ts';
import { claimUid } from './uids.ts';

export type InstanceOptions = StartOptions & { graceMs: number; now: Clock };

/** A runner told to end has its grace for the job, and this to send the last lines. */
const deliveryMs = 2_000;

/** A directory changed so lately may be of a `create` that is just under way. */
const makingMs = 1_000;

const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/;

/**
 * Starts a runner under this name, if there never was one.
 * @throws WeirError `unavailable` while another weir does the same, or where this machine is short of something.
 */
export async function createInstance(request: InstanceRequest, options: InstanceOptions): Promise<void> {
  if (!namePattern.test(request.name)) throw invalid('/name', `"${request.name}" is no name for an instance.`);
  const directory = join(options.places.instances, request.name);
  const made = await readRecord(directory);
  if (made?.runner) return;
  try {
    await makeInstanceDirectory(directory);
    const claimed = await withClaim(directory, () => startOnce(directory, request, options));
    if (claimed !== undefined || (await readRecord(directory))?.runner) return;
  } catch (cause) {
    if (cause instanceof WeirError) throw cause;
    throw new WeirError('unavailable', 'The runner could not be started on this machine.', { cause });
  }
  throw new WeirError('unavailable', `${request.name} is being made by another process.`);
}

/** The record is written before the runner starts and completed after, so that a crash between the two is seen. */
async function startOnce(directory: string, request: InstanceRequest, options: InstanceOptions): Promise<void> {
  const before = await readRecord(directory);
  if (before?.runner) return;
  const record = before ?? (await newRecord(directory, request, options));
  await writeRecord(directory, record);
  const adopted = before === undefined ? undefined : findRunner(directory);
  const runner = adopted ?? (await startRunner(directory, record, request, options));
  await writeRecord(directory, { ...record, runner });
}

async function newRecord(
  directory: string,
  { name, zone, labels, maxRunSeconds }: InstanceRequest,
  { places, isolation, now }: InstanceOptions,
): Promise<InstanceRecord> {
  const createdAt = now();
  const workDir = join(places.jobs, name);
  return {
    name,
    zone,
    labels,
    createdAt: createdAt.toISOString(),
    endsAt: new Date(createdAt.getTime() + maxRunSeconds * 1000).toISOString(),
    workDir,
    uid: isolation.switchesUid ? await claimUid({ instanceDir: directory, workDir }) : null,
    runner: null,
  };
}

/** Asks the runner to end; asked again after its grace, kills it and all of its job. */
export async function endInstance(name: string, options: InstanceOptions): Promise<void> {
  const seen = await look(name, options);
  if (seen.state === 'absent') return;
  if (seen.state === 'being-made') throw new WeirError('unavailable', `${name} is being made by another process.`);
  if (seen.state === 'ended') await endEnded(seen.record, options);
  else await endRunning(seen, options);
}

async function endRunning({ record, runner }: Running, options: InstanceOptions): Promise<void> {
  const { isFirst, isOver } = await askToEnd(record, options);
  if (isFirst) return signal(runner, 'SIGTERM');
  if (isOver) await killAll(join(options.places.instances, record.name), record);
}

async function endEnded(record: InstanceRecord, options: InstanceOptions): Promise<void> {
  if (await settleEnded(record, options)) return;
  const { isOver } = await askToEnd(record, options);
  if (!isOver) return;
  const { instances } = options.places;
  const directory = join(instances, record.name);
  endDelivery(directory);
  if (await killAll(directory, record)) await markRemoved(instances, record.name);
}

/** `isOver`: it was asked before, and has had the time that this gave it. */
async function askToEnd(
  { name }: InstanceRecord,
  { places, graceMs, now }: InstanceOptions,
): Promise<{ isFirst: boolean; isOver: boolean }> {
  const { at, isFirst } = await askedToEndAt(join(places.instances, name), now());
  return { isFirst, isOver: !isFirst && now().getTime() - at.getTime() >= graceMs + deliveryMs };
}

/**
 * All whose runner or job lives. What a dead runner left is killed here: nothing can come of it any more, and nobody else
 * would end it before its lease is over.
 */
export async function listInstances(options: InstanceOptions): Promise<SeenInstance[]> {
  const names = await listNames(options.places.instances);
  const seen = await Promise.all(names.map((name) => see(name, options)));
  return seen.filter((instance) => instance !== undefined);
}

async function see(name: string, options: InstanceOptions): Promise<SeenInstance | undefined> {
  const seen = await look(name, options);
  if (seen.state === 'absent' || seen.record === undefined) return undefined;
  const { record } = seen;
  if (seen.state === 'ended' && (await settleEnded(record, options))) return undefined;
  if (seen.state === 'running' && options.now() > new Date(record.endsAt)) await endRunning(seen, options);
  return { name, zone: record.zone, labels: record.labels };
}

/** @returns whether nothing of it lives any more, and all of its log was sent. */
async function settleEnded(record: InstanceRecord, options: InstanceOptions): Promise<boolean> {
  const { instances } = options.places;
  const directory = join(instances, record.name);
  const isDead = await killAll(directory, record);
  if (!isDead || (await deliverLeftLog(directory, options))) return false;
  await markRemoved(instances, record.name);
  return true;
}

type Running = { state: 'running'; record: InstanceRecord; runner: ProcessId };
type Look =
  | { state: 'absent' }
  | { state: 'being-made'; record: InstanceRecord | undefined }
  | Running
  | { state: 'ended'; record: InstanceRecord };

async function look(name: string, options: InstanceOptions): Promise<Look> {
  const directory = join(options.places.instances, name);
  const record = await readRecord(directory);
  if (record?.runner) return judge(record, record.runner);
  const ageMs = await ageOf(directory);
  if (ageMs === undefined) return { state: 'absent' };
  const claimed = ageMs < makingMs ? undefined : await withClaim(directory, () => takeOver(name, options));
  return claimed?.result ?? { state: 'being-made', record };
}

/** What a killed weir left half made: its runner, where it came so far, else nothing. */
async function takeOver(name: string, options: InstanceOptions): Promise<Look> {
  const directory = join(options.places.instances, name);
  const record = await readRecord(directory);
  if (record === undefined) {
    await markRemoved(options.places.instances, name);
    return { state: 'absent' };
  }
  const runner = record.runner ?? findRunner(directory);
  if (runner === undefined)
    return (await settleEnded(record, options)) ? { state: 'absent' } : { state: 'ended', record };
  await writeRecord(directory, { ...record, runner });
  return judge({ ...record, runner }, runner);
}

function judge(record: InstanceRecord, runner: ProcessId): Look {
  return isRunning(runner) ? { state: 'running', record, runner } : { state: 'ended', record };
}
