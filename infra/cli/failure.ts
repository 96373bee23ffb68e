import type { Fault } from '../../src/core/errors.ts';
import type { Problem } from './generated/api.ts';

/** What the shell gets. `submit --wait` answers with the job's own code. */
export const exitCodes = { ok: 0, failure: 1, usage: 2, notSignedIn: 3, interrupted: 130 } as const;

type Details = {
  exitCode?: number;
  faults?: Fault[];
  /** The next thing to type, or to do. */
  next?: string | undefined;
  /** As the server sent it. */
  problem?: Problem | undefined;
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

  /** The same, said in other words. */
  with(changes: Pick<Details, 'faults' | 'next'>): Failure {
    const { message, exitCode, faults, next, problem, cause } = this;
    return new Failure(message, { exitCode, faults, next, problem, cause, ...changes });
  }
}

/** A server that does not answer, or says itself that it can't now, as while it is restarted: it may later. */
export class Away extends Failure {}

/** Runs a call whose body holds what a file holds, below `place`: a fault is said to be where it is in the file. */
export function below<T>(place: string, call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    const inFile = (pointer: string) => (pointer.startsWith(`${place}/`) ? pointer.slice(place.length) : pointer);
    throw error.with({ faults: error.faults.map(({ pointer, detail }) => ({ pointer: inFile(pointer), detail })) });
  });
}

/** Runs a call whose fields come from flags and arguments: a fault is shown at these, `{ '/label': '--label' }`. */
export function atFlags<T>(names: Readonly<Record<string, string>>, call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    throw error.with({
      faults: error.faults.map(({ pointer, detail }) => ({ pointer: names[pointer] ?? pointer, detail })),
    });
  });
}

export function usageFailure(message: string, next?: string): Failure {
  return new Failure(message, { exitCode: exitCodes.usage, next });
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
  const given = { problem, next: nextAfter(problem) };
  if (status === 401) return new Failure(detail, { ...given, exitCode: exitCodes.notSignedIn });
  if (status >= 500 || 'retryAfterSeconds' in problem) return new Away(detail, given);
  const faults = errors.map(({ pointer, detail: what }) => ({ pointer: asFlag(pointer), detail: what }));
  return new Failure(errors.length > 0 ? problem.title : detail, { ...given, faults });
}

/** The flags that become parameters of a query are called as these are. */
function asFlag(pointer: string): string {
  return pointer.replace(/^\?/, '--');
}

const nextByKind: Record<string, string> = {
  unauthorized: 'weir login --server URL --key KEY',
  forbidden: 'ask an admin of your tenant, or an operator, for a key that may (weir keys create --role ROLE)',
  'can-never-start': 'weir offers shows what can be bought, weir policy get what your tenant may use',
  'too-many-queued': 'weir ps --state queued shows what waits, weir cancel JOB makes room',
  expired: 'ask again: weir quote SPEC',
  dearer: 'weir quote SPEC shows what it costs now, weir submit SPEC accepts that',
  unavailable: 'try again in a moment',
  'no-capacity': 'try again in a moment',
};

const nextByThing: Record<string, string> = {
  job: 'weir ps shows the jobs there are',
  tenant: 'weir tenants ls shows the tenants there are',
  artifact: 'weir artifacts ls JOB shows what the job produced',
  key: 'weir keys ls shows the keys there are',
  quote: 'weir quote SPEC makes one',
  secret: 'weir secrets ls shows the secrets there are',
  delivery: 'weir webhooks ls JOB shows what was sent',
  upload: 'weir upload FILE makes one',
};

function nextAfter({ type, detail }: Problem): string | undefined {
  const kind = type.slice(type.lastIndexOf('/') + 1);
  if (kind !== 'not-found') return nextByKind[kind];
  const [, thing = ''] = /^There is no (\w+)/.exec(detail) ?? [];
  return nextByThing[thing];
}
