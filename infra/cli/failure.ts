import type { Fault } from '../../src/core/errors.ts';
import type { Problem } from './generated/api.ts';

/** What the shell gets. `submit --wait` answers with the job's own code. */
export const exitCodes = { ok: 0, failure: 1, usage: 2, notSignedIn: 3, interrupted: 130 } as const;

type Details = {
  exitCode?: number;
  faults?: Fault[];
  /** The next thing to type, or to do. */
  next?: string;
  /** As the server sent it. */
  problem?: Problem;
  cause?: unknown;
};

/** Something that the user is told, and can act on. Anything else that is thrown is a bug of ours. */
export class Failure extends Error {
  readonly exitCode: number;
  readonly faults: Fault[];
  readonly next: string | undefined;
  readonly problem: Problem | undefined;

  constructor(message: string, { exitCode = exitCodes.failure, faults = [], next, problem, cause }: Details = {}) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'Failure';
    this.exitCode = exitCode;
    this.faults = faults;
    this.next = next;
    this.problem = problem;
  }
}

export function usageFailure(message: string, next?: string): Failure {
  return new Failure(message, { exitCode: exitCodes.usage, ...(next === undefined ? {} : { next }) });
}

export function notSignedIn(message: string): Failure {
  return new Failure(message, {
    exitCode: exitCodes.notSignedIn,
    next: 'weir login --server URL --key KEY, or set WEIR_URL and WEIR_KEY',
  });
}

/** A server's refusal, with what to type next. */
export function failureOf(problem: Problem): Failure {
  const { status, detail, errors = [] } = problem;
  if (status === 401) return new Failure(detail, { ...withProblem(problem), exitCode: exitCodes.notSignedIn });
  return new Failure(errors.length > 0 ? problem.title : detail, { ...withProblem(problem), faults: errors });
}

function withProblem(problem: Problem): Details {
  const next = nextAfter(problem);
  return { problem, ...(next === undefined ? {} : { next }) };
}

const nextByKind: Record<string, string> = {
  unauthorized: 'weir login --server URL --key KEY',
  forbidden: 'ask an admin of your tenant, or an operator, for a key that may (weir keys create --role ROLE)',
  'can-never-start': 'weir offers shows what can be bought, weir policy get what your tenant may use',
  'too-many-queued': 'weir ps --state queued shows what waits, weir cancel JOB makes room',
  expired: 'ask again: prices are kept for a limited time',
  unavailable: 'try again in a moment',
  'no-capacity': 'try again in a moment',
};

const nextByThing: Record<string, string> = {
  job: 'weir ps shows the jobs there are',
  tenant: 'weir tenants ls shows the tenants there are',
  artifact: 'weir artifacts ls JOB shows what the job produced',
  key: 'weir keys ls shows the keys there are',
};

function nextAfter({ type, detail }: Problem): string | undefined {
  const kind = type.slice(type.lastIndexOf('/') + 1);
  if (kind !== 'not-found') return nextByKind[kind];
  const [, thing = ''] = /^There is no (\w+)/.exec(detail) ?? [];
  return nextByThing[thing];
}
