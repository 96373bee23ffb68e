/** What can go wrong, as a caller can act on it. `http/problems.ts` gives each code its status. */
export type ErrorCode =
  | 'invalid'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'stale-attempt'
  | 'idempotency-mismatch'
  | 'can-never-start'
  | 'too-many-queued'
  | 'checksum-mismatch'
  | 'too-large'
  | 'expired'
  | 'dearer'
  | 'range-not-satisfiable'
  | 'not-supported'
  | 'no-capacity'
  | 'storage-refused'
  | 'unavailable';

/** One fault of the input: a JSON pointer into the body (or `?name`, `Header-Name`) and what to do about it. */
export type Fault = { pointer: string; detail: string };

/** An error with a code, a message safe to show the tenant, and a cause for the log. */
export class WeirError extends Error {
  readonly code: ErrorCode;
  readonly faults: Fault[];
  /** Further members of the problem answer, such as `blockers`. */
  readonly extra: Record<string, unknown>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; faults?: Fault[]; extra?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'WeirError';
    this.code = code;
    this.faults = options.faults ?? [];
    this.extra = options.extra ?? {};
  }
}

/** Builds the error for a single faulty field. */
export function invalid(pointer: string, detail: string): WeirError {
  return new WeirError('invalid', detail, { faults: [{ pointer, detail }] });
}

/**
 * What all checks answer, once all have: whoever mends a body should see every fault of it at once.
 * @throws WeirError `invalid` with the faults of all that found any; where none did, what the first to fail threw.
 */
export async function allChecked<T extends readonly unknown[]>(checks: {
  readonly [K in keyof T]: Promise<T[K]>;
}): Promise<T> {
  const settled = await Promise.allSettled(checks);
  const errors = settled.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []));
  const refusals = errors.filter((error) => error instanceof WeirError && error.code === 'invalid') as WeirError[];
  if (refusals.length > 1) {
    const message = refusals.map((refusal) => refusal.message).join(' ');
    throw new WeirError('invalid', message, { faults: refusals.flatMap(({ faults }) => faults) });
  }
  if (errors.length > 0) throw refusals[0] ?? errors[0];
  return (await Promise.all(checks)) as unknown as T;
}

export function notFound(what: string, id: string): WeirError {
  return new WeirError('not-found', `There is no ${what} ${id}.`);
}

/** Whether the same may go well later. */
export function mayPass({ code }: WeirError): boolean {
  return code === 'unavailable' || code === 'storage-refused';
}
