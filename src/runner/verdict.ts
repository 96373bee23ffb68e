import { constants } from 'node:os';
import type { Boot, Report } from '../protocol/runner.ts';

const gib = 1024 ** 3;

export type Reason = Report['reason'];

/** How the attempt ended, in the words of the report. */
export type Verdict = { reason: Reason; message: string; exitCode: number | null };

/** The attempt can't go on; the message is for the tenant. */
export class Failure extends Error {
  readonly reason: Reason;
  constructor(reason: Reason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** How a command's first process ended. `error` where it could not be started at all; `failure` where its container tells more. */
export type Exit = { code: number | null; signal: string | null; error?: NodeJS.ErrnoException; failure?: Failure };

export type Ending = {
  exit: Exit;
  /** Why weir ended it, if weir did. */
  cause: Failure | undefined;
  /** Processes that were still there seconds after the command's end. */
  leftBehind: number;
  errorTail: string[];
  /** What to say of the machine's disk, where that is full. */
  machineFull?: Failure | undefined;
};

/** Why a command ended, from what was seen. */
export function judge(ending: Ending): Verdict {
  const { exit, cause, leftBehind } = ending;
  const exitCode = exit.code;
  if (cause !== undefined) return { reason: cause.reason, message: cause.message, exitCode };
  if (exit.failure !== undefined) return { reason: exit.failure.reason, message: exit.failure.message, exitCode };
  if (exit.error !== undefined) return { ...startFailure(exit.error), exitCode: null };
  if (exit.signal !== null) {
    return {
      reason: 'signal',
      message: `The command was ended by ${exit.signal}.${signalHint(exit.signal)}`,
      exitCode,
    };
  }
  if (exitCode !== 0) return { ...exitFailure(ending, exitCode), exitCode };
  if (leftBehind > 0) return { reason: 'processes-left-behind', message: leftBehindMessage(leftBehind), exitCode };
  return { reason: 'completed', message: 'The command ended with exit code 0.', exitCode };
}

/** Of what keeps a file from being kept, the first is the worst; the last is what the file is, so that another machine would do no better. */
const keepFaults = ['storage-refused', 'upload-failed', 'output-refused'] as const;

/** A file that should have been kept and was not. */
export type NotKept = { path: string; why: string; reason: (typeof keepFaults)[number] };

/** A command that ended well has failed all the same where its results could not be kept. */
export function withFaults(verdict: Verdict, faults: NotKept[]): Verdict {
  if (faults.length === 0 || verdict.reason !== 'completed') return verdict;
  const all = faults.map(({ path, why }) => `${shortened(path)}: ${why}`).join('; ');
  return {
    ...verdict,
    reason: keepFaults.find((known) => faults.some(({ reason }) => reason === known)) ?? 'upload-failed',
    message: `The command ended well, but its results could not be kept: ${all}.`,
  };
}

/** `foundBytes`: what was seen to be used, where it was more than the limit. */
export function outOfMemory(limitBytes: number, foundBytes = limitBytes): Failure {
  return new Failure(
    'out-of-memory',
    `The job used ${inGiB(foundBytes)} of its ${inGiB(limitBytes)} of memory. Ask for more with resources.memoryGiB, or use less.`,
  );
}

/** Of a machine of its own, nobody but the job can have filled the disk. */
export function machineDiskFull({ ownsMachine }: Boot): Failure {
  return ownsMachine
    ? new Failure('disk-full', 'The machine’s disk is full. Write less, or ask for more with resources.diskGiB.')
    : new Failure(
        'machine-disk-full',
        'The disk of the machine is full, though the job kept within its own. The operator has to make room.',
      );
}

export function inGiB(bytes: number): string {
  return bytes < gib ? `${Math.round(bytes / 1024 ** 2)} MiB` : `${(bytes / gib).toFixed(1)} GiB`;
}

function shortened(path: string): string {
  return path.length <= 100 ? path : `${path.slice(0, 100)}…`;
}

function startFailure(error: NodeJS.ErrnoException): { reason: Reason; message: string } {
  if (error.code === 'ENOENT')
    return {
      reason: 'command-not-found',
      message: `The command was not found (${error.path ?? error.message}). Check its name, or install it in \`setup\`.`,
    };
  if (error.code === 'EACCES')
    return {
      reason: 'command-not-found',
      message: `The command can't be executed (${error.path ?? error.message}). Make the file executable, or name its interpreter.`,
    };
  return { reason: 'runner-error', message: `The command could not be started: ${error.message}` };
}

function exitFailure({ errorTail, machineFull }: Ending, code: number | null): { reason: Reason; message: string } {
  const tail = errorTail.join('\n');
  if (code === 127 && /not found|no such file or directory/i.test(tail)) {
    const line = errorTail.findLast((text) => /not found|no such file/i.test(text)) ?? '';
    return {
      reason: 'command-not-found',
      message: `A command of the job was not found: ${line.slice(0, 300)}. Check its name, or install it in \`setup\`.`,
    };
  }
  if (/no space left on device/i.test(tail)) {
    if (machineFull !== undefined) return { reason: machineFull.reason, message: machineFull.message };
    return {
      reason: 'disk-full',
      message: 'The disk was full ("No space left on device"). Write less, or ask for more with resources.diskGiB.',
    };
  }
  return { reason: 'exit-code', message: `The command ended with exit code ${code}. The end of its log says why.` };
}

function signalHint(signal: string): string {
  if (signal === 'SIGKILL') return ' The machine may have run out of memory.';
  if (signal === 'SIGSEGV' || signal === 'SIGBUS' || signal === 'SIGILL')
    return ' That is a fault in the program or in one of its libraries.';
  return '';
}

function leftBehindMessage(count: number): string {
  const what = count === 1 ? '1 process was' : `${count} processes were`;
  return `The command ended, but ${what} still running and had to be killed. End with \`wait\`, so that the command lasts as long as what it started.`;
}

/** The exit of a command as a shell tells it: 128 and the signal's number, where it was ended by one. */
export function exitOfStatus(status: number): Exit {
  const signal =
    status > 128 ? Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0] : undefined;
  return signal === undefined ? { code: status, signal: null } : { code: null, signal };
}
