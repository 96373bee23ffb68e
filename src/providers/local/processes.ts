import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process that can be found again: a pid alone may have been given to another one since. */
export type ProcessId = { pid: number; startTicks: number };

export type Process = ProcessId & { parentPid: number; groupId: number; sessionId: number; hasTerminal: boolean };

/** The living process of this pid, if there is one. */
export function findProcess(pid: number): Process | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === '') return undefined;
  // The name, in parentheses, may hold anything; what follows it is regular: see proc_pid_stat(5).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (numberInManual: number) => Number(fields[numberInManual - 3]);
  // A leader that ended before its threads reads as a zombie and still runs.
  const isDead = ['Z', 'X'].includes(fields[0] ?? '') && field(20) <= 1;
  if (isDead) return undefined;
  return {
    pid,
    parentPid: field(4),
    groupId: field(5),
    sessionId: field(6),
    hasTerminal: field(7) !== 0,
    startTicks: field(22),
  };
}

export function isRunning({ pid, startTicks }: ProcessId): boolean {
  return findProcess(pid)?.startTicks === startTicks;
}

/** This process, so that others can see whether it still lives. */
export function ownProcessId(): ProcessId {
  return { pid: process.pid, startTicks: findProcess(process.pid)?.startTicks ?? 0 };
}

export function listProcesses(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => findProcess(Number(name)))
    .filter((found) => found !== undefined);
}

/** The real uid, which a setuid program keeps. */
export function realUid({ pid }: ProcessId): number | undefined {
  const uid = /^Uid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1];
  return uid === undefined ? undefined : Number(uid);
}

/** What the process was started with; unreadable ones have neither. */
export function argumentsOf({ pid }: ProcessId): string[] {
  return read(`/proc/${pid}/cmdline`).split('\0');
}

export function environmentOf({ pid }: ProcessId): string[] {
  return read(`/proc/${pid}/environ`).split('\0');
}

export function workingDirectoryOf({ pid }: ProcessId): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

/** Signals a process if it is still the one meant. */
export function signal(target: ProcessId, name: NodeJS.Signals): void {
  if (!isRunning(target)) return;
  try {
    process.kill(target.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Empty where the process is gone or not ours to look at. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
