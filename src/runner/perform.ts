import { chmod, mkdir, stat } from 'node:fs/promises';
import type { Assignment, Boot, Heartbeat, Rendezvous } from '../protocol/runner.ts';
import { startCommand, type CommandPlan, type RunningCommand } from './command.ts';
import { jobEnvironment } from './environment.ts';
import { isFull } from './disk.ts';
import { giveTo } from './inside.ts';
import { chooseLauncher, inShell, type Launcher } from './launcher.ts';
import type { JobLog } from './log.ts';
import { createPipes } from './pipes.ts';
import { jobUid, prepare } from './prepare.ts';
import type { Meeting } from './rendezvous.ts';
import { Failure, judge, machineDiskFull, type Verdict } from './verdict.ts';
import { watchCommand, type Sample, type Watch } from './watch.ts';

export type Stage = Heartbeat['stage'];

export type Performance = {
  /** Prepares, sets up, runs; never rejects for what a job can do. */
  run: () => Promise<Verdict>;
  /** True once anything of the tenant's has run, so that there may be outputs. */
  hasStarted: () => boolean;
  sample: () => Sample | undefined;
  kill: () => Promise<void>;
};

export type PerformanceDeps = {
  boot: Boot;
  assignment: Assignment;
  marker: string;
  log: JobLog;
  meeting: Meeting;
  /** Aborted with the Failure that ends the job. */
  stop: AbortController;
  onStage: (stage: Stage) => void;
};

/** Nothing is gained by asking these to end: the memory is gone, or the output is no log. */
const endsAtOnce = new Set<Failure['reason']>(['out-of-memory', 'log-line-too-long']);

/** What one node does of a job, from an empty directory to the end of its command. */
export function createPerformance(deps: PerformanceDeps): Performance {
  const { boot, assignment, marker, stop, onStage } = deps;
  const { spec } = assignment;
  const uid = jobUid(boot);
  const executor = createExecutor(deps);

  const perform = async (): Promise<Verdict> => {
    onStage('preparing');
    await mkdir(boot.tmpDir, { recursive: true, mode: 0o700 });
    if (uid !== null) await giveTo(uid, boot.tmpDir);
    await prepare(boot, assignment, stop.signal);
    const launcher = await chooseLauncher({ boot, assignment, marker }, stop.signal);
    const rendezvous = assignment.nodes > 1 ? await deps.meeting.wait(stop.signal) : null;
    if (spec.setup !== undefined) {
      onStage('setup');
      const failure = setupFailure(await executor.execute(inShell(spec.setup, spec.image), launcher, rendezvous));
      if (failure !== undefined) return failure;
      await openAgain(boot.workDir);
    }
    onStage('running');
    const command = typeof spec.command === 'string' ? inShell(spec.command, spec.image) : spec.command;
    return executor.execute(command, launcher, rendezvous);
  };

  return {
    run: async () => {
      try {
        return await perform();
      } catch (error) {
        if (error instanceof Failure) return { reason: error.reason, message: error.message, exitCode: null };
        return { reason: 'runner-error', message: `The runner failed: ${(error as Error).message}`, exitCode: null };
      }
    },
    hasStarted: () => executor.running() !== undefined,
    sample: () => executor.running()?.watch.sample(),
    kill: async () => executor.running()?.command.kill(),
  };
}

type Running = { command: RunningCommand; watch: Watch };

/** Runs one command after the other, each watched and stopped like the others. */
function createExecutor({ boot, assignment, marker, stop, log }: PerformanceDeps) {
  const { spec } = assignment;
  const uid = jobUid(boot);
  let running: Running | undefined;

  const start = async (argv: string[], launcher: Launcher, rendezvous: Rendezvous | null): Promise<Running> => {
    const { workDir, toolDirs, env: hostEnv } = boot;
    const seesOwnGpusOnly = spec.image !== undefined || boot.isolation.kind === 'bubblewrap';
    const place = { workDir, toolDirs, hostEnv, marker, seesOwnGpusOnly };
    const environment = jobEnvironment(assignment, place, rendezvous);
    const pipes = await createPipes(boot.stateDir, uid);
    stop.signal.throwIfAborted();
    const plan: CommandPlan = {
      ...launcher(argv, environment),
      uid,
      marker,
      workDir: boot.workDir,
      pipes,
      stateDir: boot.stateDir,
    };
    const command = startCommand(plan, log);
    const roamingUid = boot.isolation.kind === 'user' && spec.image === undefined ? uid : null;
    const watch = watchCommand({ command, limits: assignment.limits, boot, roamingUid }, (failure) =>
      stop.abort(failure),
    );
    return { command, watch };
  };

  return {
    /** The last command started; undefined while there was none. */
    running: () => running,
    execute: async (argv: string[], launcher: Launcher, rendezvous: Rendezvous | null): Promise<Verdict> => {
      running = await start(argv, launcher, rendezvous);
      const { command, watch } = running;
      const obey = () => void endCommand(command, causeOf(stop.signal), assignment.graceSeconds);
      stop.signal.addEventListener('abort', obey, { once: true });
      if (stop.signal.aborted) obey();
      try {
        const { exit, leftBehind } = await command.finished;
        return judge({
          exit,
          leftBehind,
          cause: causeOf(stop.signal),
          errorTail: log.errorTail(),
          machineFull: (await isFull(boot.workDir)) ? machineDiskFull(boot) : undefined,
        });
      } finally {
        watch.end();
        stop.signal.removeEventListener('abort', obey);
      }
    },
  };
}

/** Where the job has no uid of its own, a setup that shut its directory would keep bubblewrap from starting the command. */
async function openAgain(workDir: string): Promise<void> {
  const info = await stat(workDir).catch(() => undefined);
  if (info !== undefined) await chmod(workDir, info.mode | 0o700);
}

/** Of the 30 seconds that a spot machine has from its notice to its end, the rest is for the last checkpoint. */
const noticeSeconds = 25;

async function endCommand(command: RunningCommand, cause: Failure | undefined, graceSeconds: number): Promise<void> {
  if (cause !== undefined && endsAtOnce.has(cause.reason)) return command.kill();
  const seconds = cause?.reason === 'preemption' ? Math.min(graceSeconds, noticeSeconds) : graceSeconds;
  return command.stop(seconds * 1000);
}

function causeOf(signal: AbortSignal): Failure | undefined {
  return signal.aborted ? (signal.reason as Failure) : undefined;
}

/** Undefined where the setup went well. Processes it left are no fault: they have been ended. */
function setupFailure(verdict: Verdict): Verdict | undefined {
  const { reason, message } = verdict;
  if (reason === 'completed' || reason === 'processes-left-behind') return undefined;
  const isOfTheSetup = reason === 'exit-code' || reason === 'signal' || reason === 'command-not-found';
  return isOfTheSetup ? { ...verdict, reason: 'setup-failed', message: `The setup failed. ${message}` } : verdict;
}
