import { jobStates, type JobState } from '../protocol/job.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { runnerReasons } from '../protocol/runner.ts';

/** The one table of the machine: which state may follow which. `queued` after `stopping` is a retry. */
export const next = {
  queued: ['provisioning', 'cancelled', 'failed'],
  provisioning: ['running', 'stopping'],
  running: ['stopping'],
  stopping: ['queued', 'succeeded', 'failed', 'cancelled'],
  succeeded: [],
  failed: [],
  cancelled: [],
} as const satisfies Record<JobState, readonly JobState[]>;

export type NextState<From extends JobState> = (typeof next)[From][number];

export type EndState = 'succeeded' | 'failed' | 'cancelled';

export const activeStates = ['provisioning', 'running', 'stopping'] as const;
export const endStates = ['succeeded', 'failed', 'cancelled'] as const satisfies readonly EndState[];

export function isEnd(state: JobState): state is EndState {
  return next[state].length === 0;
}

/** Whether a job that is in no attempt, such as an array, may go straight from one to another: never back, nor out of an end. */
export function isForward(from: JobState, to: JobState): boolean {
  return !isEnd(from) && jobStates.indexOf(from) < jobStates.indexOf(to);
}

/** How another job has to end for one that depends on it. */
export type Condition = NonNullable<JobSpec['dependsOn']>[number]['on'] & string;

/** Whether a dependency still waits, is met, or can't be met any more. A cancelled job has neither succeeded nor failed. */
export function dependencyState(on: Condition, state: JobState): 'waiting' | 'met' | 'broken' {
  if (!isEnd(state)) return 'waiting';
  if (on === 'end') return 'met';
  return state === (on === 'success' ? 'succeeded' : 'failed') ? 'met' : 'broken';
}

type RunnerReason = (typeof runnerReasons)[number];

/** Why a job stops, as the runner saw it or as the broker decided. */
export type StopReason =
  | Exclude<RunnerReason, 'stopped'>
  | 'cancelled'
  | 'budget'
  | 'max-cost'
  | 'no-capacity'
  | 'provisioning-failed'
  | 'boot-timeout'
  | 'heartbeat-lost'
  | 'instance-vanished'
  | 'pilot-ended'
  | 'tasks-failed'
  | 'dependency-failed';

/** Whose doing an end is: infrastructure and preemption are tried again, and what infrastructure spoils is refunded. */
export type Outcome = {
  end: EndState;
  cause: 'job' | 'user' | 'limit' | 'infrastructure' | 'preemption' | 'other-jobs';
};

/** Every reason has one outcome; the compiler asks for a new one's. */
export const outcomes = {
  completed: { end: 'succeeded', cause: 'job' },
  'exit-code': { end: 'failed', cause: 'job' },
  signal: { end: 'failed', cause: 'job' },
  'command-not-found': { end: 'failed', cause: 'job' },
  'setup-failed': { end: 'failed', cause: 'job' },
  'source-unavailable': { end: 'failed', cause: 'job' },
  'input-unavailable': { end: 'failed', cause: 'job' },
  'image-unavailable': { end: 'failed', cause: 'job' },
  'out-of-memory': { end: 'failed', cause: 'job' },
  'disk-full': { end: 'failed', cause: 'job' },
  'log-line-too-long': { end: 'failed', cause: 'job' },
  'processes-left-behind': { end: 'failed', cause: 'job' },
  'output-refused': { end: 'failed', cause: 'job' },
  cancelled: { end: 'cancelled', cause: 'user' },
  'max-duration': { end: 'failed', cause: 'limit' },
  'pilot-ended': { end: 'succeeded', cause: 'limit' },
  'max-cost': { end: 'failed', cause: 'limit' },
  budget: { end: 'failed', cause: 'limit' },
  preemption: { end: 'failed', cause: 'preemption' },
  'upload-failed': { end: 'failed', cause: 'infrastructure' },
  'storage-refused': { end: 'failed', cause: 'infrastructure' },
  'machine-disk-full': { end: 'failed', cause: 'infrastructure' },
  'isolation-unavailable': { end: 'failed', cause: 'infrastructure' },
  'runner-error': { end: 'failed', cause: 'infrastructure' },
  'no-capacity': { end: 'failed', cause: 'infrastructure' },
  'provisioning-failed': { end: 'failed', cause: 'infrastructure' },
  'boot-timeout': { end: 'failed', cause: 'infrastructure' },
  'heartbeat-lost': { end: 'failed', cause: 'infrastructure' },
  'instance-vanished': { end: 'failed', cause: 'infrastructure' },
  'tasks-failed': { end: 'failed', cause: 'other-jobs' },
  'dependency-failed': { end: 'failed', cause: 'other-jobs' },
} as const satisfies Record<StopReason, Outcome>;

export type Retries = { max: number; on: readonly string[] };
export const defaultRetries: Retries = { max: 3, on: ['preemption', 'infrastructure'] };

/** Why an attempt ended; the exit code where its command gave one. */
export type Ending = { reason: StopReason; exitCode: number | null };

/** Where a stopping job goes: back to the queue where its end is worth a retry and retries are left, else to its end. */
export function after({ reason, exitCode }: Ending, failedAttempts: number, retries: Retries): EndState | 'queued' {
  const { end, cause }: Outcome = outcomes[reason];
  const names: string[] = [cause, reason, ...(reason === 'exit-code' ? [`exit-code:${exitCode}`] : [])];
  const isRetried = names.some((name) => retries.on.includes(name)) && failedAttempts <= retries.max;
  return isRetried ? 'queued' : end;
}
