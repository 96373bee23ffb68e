import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCensus, type Census } from './census.ts';
import type { Container } from './container.ts';
import type { JobLog } from './log.ts';
import { firstInside } from './memory.ts';
import type { Pipe } from './pipes.ts';
import { environmentFd, releaseFd, statusFd, type Launch } from './sandbox.ts';
import { exitOfStatus, Failure, type Exit } from './verdict.ts';

/** How long processes may outlive their command. */
const leftoverGraceMs = 2000;
const killTimeoutMs = 5000;
/** The kernel's choice when memory runs out is the job, not the runner. */
const oomScoreAdjustment = '500';

export type CommandPlan = {
  launch: Launch;
  /** The uid that only this job has. */
  uid: number | null;
  marker: string;
  workDir: string;
  pipes: { out: Pipe; err: Pipe };
  /** The runner's own, where the provider reads what to kill should the runner be killed. */
  stateDir: string;
  /** Where an engine runs the command: what was launched is only its client. */
  container?: Container;
};

export type Finished = { exit: Exit; leftBehind: number };

/** A command that runs, in a session of its own. */
export type RunningCommand = {
  census: Census;
  /** A process of weir's own in the job's namespaces; undefined where the job has none, or there is no process yet. */
  pidInside: () => number | undefined;
  /** SIGTERM to every process, and after the grace SIGKILL to what remains. */
  stop: (graceMs: number) => Promise<void>;
  kill: () => Promise<void>;
  finished: Promise<Finished>;
};

export function startCommand(plan: CommandPlan, log: JobLog): RunningCommand {
  const { out, err } = plan.pipes;
  const read = Promise.all([log.attach(out.stream, 'o'), log.attach(err.stream, 'e')]);
  const isWrapped = plan.launch.environmentScript !== undefined;
  const child = spawnLaunch(plan);
  out.closeWriteEnd();
  err.closeWriteEnd();
  const rootPid = child.pid ?? 0;
  let pidInside: number | undefined;
  // Before it has started, bubblewrap's process still sees the machine's files.
  const clientExited = exitOf(child, isWrapped, () => (pidInside ??= firstInside(rootPid)));
  const exited = plan.container === undefined ? clientExited : clientExited.then(plan.container.exitOf);
  const census =
    rootPid === 0
      ? () => []
      : createCensus({
          rootPid,
          pipesDir: plan.stateDir,
          workDir: plan.workDir,
          uid: plan.uid,
          marker: plan.marker,
          isWrapped,
          containerId: plan.container?.id,
        });
  if (rootPid !== 0) introduce(rootPid, plan);
  // An engine takes its time to start what it was asked for: until its client ends, there are processes to come.
  let hasExited = plan.container === undefined;
  clientExited.finally(() => (hasExited = true)).catch(() => undefined);

  const kill = (): Promise<void> => killAll(rootPid, census, plan);
  const finish = async (): Promise<Finished> => {
    const exit = await exited;
    const leftBehind = exit.error === undefined ? await waitForLeftovers(census) : 0;
    if (leftBehind > 0 || isWrapped || plan.container !== undefined) await kill();
    await Promise.race([read, sleep(killTimeoutMs, undefined, { ref: false })]);
    // A process that can't be killed would hold the pipes open for ever.
    out.stream.destroy();
    err.stream.destroy();
    await read;
    return { exit, leftBehind };
  };

  return {
    census,
    pidInside: () => pidInside,
    kill,
    stop: async (graceMs) => {
      let areTold = false;
      const isOver = (): boolean => {
        const processes = census();
        if (!areTold) for (const { pid } of processes) signal(pid, 'SIGTERM');
        areTold ||= processes.length > 0;
        return processes.length === 0 && hasExited;
      };
      await waitUntil(isOver, graceMs);
      if (!isOver()) await kill();
    },
    finished: finish(),
  };
}

function spawnLaunch({ launch, pipes }: CommandPlan): ChildProcess {
  const { argv, cwd, env, uid, environmentScript } = launch;
  const child = spawn(argv[0] ?? '', argv.slice(1), {
    cwd,
    env,
    detached: true,
    stdio: [
      'ignore',
      pipes.out.writeFd,
      pipes.err.writeFd,
      ...(environmentScript === undefined ? [] : (['pipe', 'pipe', 'pipe'] as const)),
    ],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const pipesOf: readonly (Readable | Writable | null | undefined)[] = child.stdio;
  // Broken only when the shell is gone, which its exit tells.
  for (const fd of [releaseFd, environmentFd]) pipesOf[fd]?.on('error', () => undefined);
  (pipesOf[environmentFd] as Writable | undefined)?.end(environmentScript);
  return child;
}

function introduce(rootPid: number, plan: CommandPlan): void {
  try {
    writeFileSync(`/proc/${rootPid}/oom_score_adj`, oomScoreAdjustment);
  } catch {
    // It has ended already, or the kernel does not let us; the job runs all the same.
  }
  writeFileSync(
    join(plan.stateDir, 'job.json'),
    JSON.stringify({
      pid: rootPid,
      pgid: rootPid,
      uid: plan.uid,
      marker: plan.marker,
      container: plan.container?.engine,
    }),
    { mode: 0o600 },
  );
}

/** How the command ended: as its process did, or as the waiting shell around it tells. */
async function exitOf(child: ChildProcess, isWrapped: boolean, onStarted: () => void): Promise<Exit> {
  const exited = new Promise<Exit>((resolve) => {
    child.on('error', (error) => resolve({ code: null, signal: null, error }));
    child.on('exit', (code, signalName) => resolve({ code, signal: signalName }));
  });
  if (!isWrapped) return exited;
  const told = await readStatus(child.stdio[statusFd] as Readable, onStarted);
  if (told.status !== undefined) return exitOfStatus(told.status);
  const exit = await exited;
  if (exit.error === undefined && !told.isStarted && exit.signal === null) {
    throw new Failure(
      'isolation-unavailable',
      'bubblewrap could not keep the job apart on this machine; the end of the log says why. The operator has to mend it.',
    );
  }
  return exit;
}

function readStatus(
  stream: Readable,
  onStarted: () => void,
): Promise<{ isStarted: boolean; status: number | undefined }> {
  let text = '';
  return new Promise((resolve) => {
    const answer = () => {
      const status = /^started\n([0-9]+)\n/.exec(text)?.[1];
      return { isStarted: text.startsWith('started\n'), status: status === undefined ? undefined : Number(status) };
    };
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (answer().isStarted) onStarted();
      if (answer().status !== undefined) resolve(answer());
    });
    stream.on('error', () => undefined);
    stream.on('close', () => resolve(answer()));
  });
}

async function waitForLeftovers(census: Census): Promise<number> {
  await waitUntil(() => census().length === 0, leftoverGraceMs);
  return census().length;
}

async function killAll(rootPid: number, census: Census, plan: CommandPlan): Promise<void> {
  // To the kernel, 0 is the runner's own group.
  if (rootPid === 0) return;
  await plan.container?.remove();
  const killOnce = (): boolean => {
    signal(-rootPid, 'SIGKILL');
    const remaining = census();
    for (const { pid } of remaining) signal(pid, 'SIGKILL');
    return remaining.length === 0;
  };
  if (killOnce()) return;
  // Signals sent one by one lose the race against a job that forks without end; this one reaches all of a uid at once.
  if (plan.uid !== null && plan.launch.environmentScript === undefined)
    spawnSync('/bin/sh', ['-c', 'kill -KILL -1'], { uid: plan.uid, gid: plan.uid, stdio: 'ignore' });
  await waitUntil(killOnce, killTimeoutMs);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone in the meantime.
  }
}

async function waitUntil(isDone: () => boolean, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (let delayMs = 2; !isDone() && performance.now() < end; delayMs = Math.min(50, delayMs * 2)) await sleep(delayMs);
}
