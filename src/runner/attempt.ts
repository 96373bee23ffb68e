import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { Assignment, Boot, Directive, Heartbeat } from '../protocol/runner.ts';
import { createBroker, Refused, StaleAttempt, type Broker } from './broker.ts';
import { watchCheckpoints } from './checkpoints.ts';
import { BrokerLost, startDeadlines } from './deadlines.ts';
import { keepDestination, spoolOf } from './deliver.ts';
import { progressFileIn } from './environment.ts';
import { startHeart, type Heart } from './heart.ts';
import { describeHost, findFreePort } from './host.ts';
import { createJobLog, type JobLog } from './log.ts';
import { createLogSpool, type LogSpool } from './log-spool.ts';
import { shutDown } from './machine.ts';
import { barMetadata, metadataAddress, unbarMetadata } from './metadata-route.ts';
import { watchNotices } from './notices.ts';
import { uploadOutputs, type OutputsDeps } from './outputs.ts';
import { createPerformance, type Performance, type Stage } from './perform.ts';
import { jobUid } from './prepare.ts';
import { readProgressFile } from './progress-file.ts';
import { createMeeting } from './rendezvous.ts';
import { maskedTexts } from './secret-mask.ts';
import { backOff, createPatience } from './retry.ts';
import { keepToken } from './token.ts';
import { Failure, withFaults, type NotKept } from './verdict.ts';

const maxMessageLength = 2000;
/** Storage that is away or fails, without a word of refusing, is waited for so many times the lease. */
const stallLeases = 3;
/** Before the claim nothing is known of a lease. */
const claimPatienceMs = 10 * 60_000;

/** One node of one attempt, from the claim to the report. Answers the program's exit code. */
export async function runAttempt(boot: Boot, bootPath: string, preemption: AbortSignal): Promise<number> {
  const leaving = new AbortController();
  const token = keepToken(boot.stateDir);
  const broker = createBroker(boot.brokerUrl, token, leaving.signal);
  const uid = jobUid(boot);
  const barring = uid === null ? Promise.resolve(false) : barMetadata(uid, boot.metadataHost === metadataAddress);
  try {
    const assignment = await claim({ broker, boot, token, leaving });
    await rm(bootPath, { force: true });
    const isBarred = await barring;
    const mustBar = boot.ownsMachine && uid !== null;
    const obstacle =
      mustBar && !isBarred
        ? new Failure(
            'isolation-unavailable',
            'The metadata address can’t be kept from jobs here: the runner has to be root and needs `ip` of iproute2.',
          )
        : undefined;
    return await execute({ boot, assignment, broker, leaving, preemption, obstacle });
  } catch (error) {
    // Not ours, or no more: there is nobody to report to.
    if (error instanceof StaleAttempt) return 1;
    throw error;
  } finally {
    if (uid !== null) await unbarMetadata(uid);
  }
}

type Claiming = { broker: Broker; boot: Boot; token: string; leaving: AbortController };

/** @throws BrokerLost where a machine of the runner's own finds no broker: nobody would ever end it. */
async function claim({ broker, boot, token, leaving }: Claiming): Promise<Assignment> {
  const port = await findFreePort();
  const patience = boot.ownsMachine ? setTimeout(() => leaving.abort(neverClaimed()), claimPatienceMs) : undefined;
  try {
    const wanted = { bootstrapToken: boot.bootstrapToken, token, address: boot.address, port, host: describeHost() };
    for (let refusals = 0; ; refusals++) {
      const assignment = await broker.claim(wanted).catch(unlessOfStorage);
      if (assignment !== undefined) return assignment;
      await backOff(refusals, leaving.signal);
    }
  } catch (error) {
    if (error instanceof BrokerLost) shutDown();
    throw error;
  } finally {
    clearTimeout(patience);
  }
}

/** An operator may put the storage right in time; when there is no more, the broker says that the attempt is over. */
function unlessOfStorage(error: unknown): undefined {
  if (!(error instanceof Refused) || !error.isOfStorage) throw error;
}

function neverClaimed(): BrokerLost {
  return new BrokerLost('the broker did not answer since the machine started');
}

type Execution = {
  boot: Boot;
  assignment: Assignment;
  broker: Broker;
  /** Ends every call to the broker. */
  leaving: AbortController;
  preemption: AbortSignal;
  /** Why the job can't be started here. */
  obstacle: Failure | undefined;
};

async function execute({ boot, assignment, broker, leaving, preemption, obstacle }: Execution): Promise<number> {
  const { attempt, heartbeatSeconds } = assignment;
  const stop = new AbortController();
  const stopFor = (failure: Failure): void => stop.abort(failure);
  onAbort(preemption, () => stopFor(new Failure('preemption', 'The machine gave notice that it will be taken away.')));
  if (boot.metadataHost !== undefined)
    watchNotices(boot.metadataHost, leaving.signal, (message) => stopFor(new Failure('preemption', message)));
  if (obstacle !== undefined) stopFor(obstacle);

  await keepDestination(boot.stateDir, { brokerUrl: boot.brokerUrl, attempt });
  const spool = createLogSpool(spoolOf(boot.stateDir));
  const log = createJobLog(spool, maskedTexts(assignment.secrets), () => stopFor(endlessLine()));
  const meeting = createMeeting();
  meeting.hear(assignment.rendezvous);
  let stage: Stage = 'preparing';
  const enter = (next: Stage): void => {
    stage = next;
    heart.beatNow();
  };
  const job = createPerformance({ boot, assignment, marker: randomUUID(), log, meeting, stop, onStage: enter });
  const heart = startHeart(
    broker,
    heartbeatSeconds * 1000,
    () => ({ attempt, stage, ...given('sample', job.sample()), ...given('progress', progressOf(log, boot)) }),
    (directive) => obey(directive, meeting, stopFor),
  );
  const deadlines = startDeadlines(boot, assignment, broker, stopFor);
  const delivered = deliver(spool, broker, attempt);
  const leaseMs = assignment.leaseSeconds * 1000;
  const waiting = { patience: createPatience(leaseMs), stall: createPatience(stallLeases * leaseMs) };
  const mostBytes = assignment.limits.diskBytes;
  const place = { broker, brokerUrl: boot.brokerUrl, attempt, mostBytes, ...waiting, signal: leaving.signal };
  const giveUp = ({ path, why }: NotKept) =>
    stopFor(new Failure('storage-refused', `The job was stopped, since ${path} could not be kept: ${why}`));
  const outputs = { workDir: boot.workDir, uid: jobUid(boot), hasStarted: job.hasStarted, log, giveUp, place };
  try {
    await Promise.race([
      runToReport({ assignment, broker, job, log, delivered, heart, outputs, enter }),
      broker.staleness,
      deadlines.brokerLost,
      failureOf(heart.beating),
      failureOf(delivered),
    ]);
    return 0;
  } catch (error) {
    leaving.abort();
    return await leave(error, job, boot);
  } finally {
    deadlines.end();
  }
}

type Story = {
  assignment: Assignment;
  broker: Broker;
  job: Performance;
  log: JobLog;
  /** Resolves when the broker has all of the log. */
  delivered: Promise<void>;
  heart: Heart;
  outputs: OutputsDeps;
  enter: (stage: Stage) => void;
};

/** The job, its results, its log, its end: in this order, since nothing is taken after the report. */
async function runToReport({ assignment, broker, job, log, delivered, heart, outputs, enter }: Story): Promise<void> {
  const { attempt, spec } = assignment;
  const checkpoints = watchCheckpoints(spec.checkpoints?.path, outputs);
  const verdict = await job.run();
  if (verdict.reason !== 'completed') log.say(`weir: ${verdict.message}`);
  enter('uploading');
  const faults = job.hasStarted()
    ? [...(await checkpoints.finish()), ...(await uploadOutputs(spec.outputs ?? [], outputs))]
    : [];
  for (const { path, why } of faults) log.say(`weir: ${path} is not kept: ${why}.`);
  const lines = await log.close();
  await delivered;
  await heart.finish();
  const { reason, message, exitCode } = withFaults(verdict, faults);
  // Cutting may leave half a character, which no database takes.
  const shown = message.slice(0, maxMessageLength).toWellFormed();
  await broker.report({ attempt, reason, message: shown, exitCode, lines });
}

/** Nobody listens any more: the job ends, and with it the machine, where it is ours and the broker is lost. */
async function leave(error: unknown, job: Performance, boot: Boot): Promise<number> {
  await job.kill();
  if (error instanceof StaleAttempt) return 1;
  if (boot.ownsMachine) shutDown();
  throw error;
}

async function deliver(spool: LogSpool, broker: Broker, attempt: number): Promise<void> {
  for (let delivery = await spool.next(); delivery !== undefined; delivery = await spool.next()) {
    await broker.sendLogs(attempt, delivery);
    await spool.drop();
  }
}

/** What the job said last, on its output or in its file, and how long ago. */
function progressOf(log: JobLog, { workDir }: Boot): Heartbeat['progress'] {
  const told = [log.progress(), readProgressFile(progressFileIn(workDir))].filter((each) => each !== undefined);
  const last = told.toSorted((a, b) => b.atMs - a.atMs)[0];
  if (last === undefined) return undefined;
  const { atMs, ...said } = last;
  return { ...said, ageMs: Math.max(0, Math.round(Date.now() - atMs)) };
}

function obey(
  { directive, reason, rendezvous }: Directive,
  meeting: ReturnType<typeof createMeeting>,
  stopFor: (failure: Failure) => void,
): void {
  meeting.hear(rendezvous);
  if (directive === 'stop')
    stopFor(new Failure('stopped', `The job was stopped${reason === null ? '' : `: ${reason}`}.`));
}

function endlessLine(): Failure {
  return new Failure(
    'log-line-too-long',
    'The job printed more than 32 MiB without a line break. Print line breaks, and write data to files in `outputs`.',
  );
}

/** Without heart or log there is no sense in going on, and no other way to tell it than to leave. */
function failureOf(work: Promise<void>): Promise<never> {
  return new Promise((_resolve, reject) => void work.catch(reject));
}

function onAbort(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener('abort', act, { once: true });
}

function given<Name extends string, Value>(name: Name, value: Value | undefined): { [key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [key in Name]: Value });
}
