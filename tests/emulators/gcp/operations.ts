import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from './messages.ts';
import { ApiError, OperationFailure, notFound } from './errors.ts';
import { link, newId, timestamp } from './links.ts';

export type OperationTiming = { pendingMs: number; runningMs: number };

type Work = {
  /** Such as `zones/us-central1-a` or `global`. */
  scope: string;
  type: string;
  target: { resource: string; id: string };
  user: string;
  requestId?: string;
  warnings?: Json[];
  /** What the operation does while it is RUNNING. @throws OperationFailure to end with an error. */
  run: () => void | Promise<void>;
};

export type Operations = {
  /** Answers the operation as it is at first, PENDING; it goes on by itself. */
  start: (work: Work) => Json;
  /** What Google did by itself, such as a preemption: DONE as soon as it is seen. */
  record: (scope: string, type: string, target: Work['target'], message: string) => void;
  get: (scope: string, name: string) => Json;
  /** Answers when it is DONE, or after so long as it is. */
  wait: (scope: string, name: string, maxMs: number) => Promise<Json>;
  list: (scope: string) => Json[];
  /** The operation that a repeated request for the same thing started before. Google does not look at its body again. */
  repeated: (requestId: string | undefined, target: string) => Json | undefined;
  remember: (requestId: string | undefined, target: string, operation: Json) => void;
  close: () => void;
};

/** Operations live through PENDING, RUNNING and DONE, with what they do in between. */
export function createOperations(project: string, timing: OperationTiming): Operations {
  const operations = new Map<string, Json>();
  const ended = new Map<string, Promise<void>>();
  const byRequest = new Map<string, Json>();
  const closing = new AbortController();

  const create = (work: Pick<Work, 'scope' | 'type' | 'target' | 'user'>): Json => {
    const id = newId();
    const name = `operation-${id}`;
    const resource = `projects/${project}/${work.scope}`;
    const [kind, place] = work.scope.split('/');
    const operation: Json = {
      kind: 'compute#operation',
      id,
      name,
      operationType: work.type,
      targetLink: link(work.target.resource),
      targetId: work.target.id,
      status: 'PENDING',
      user: work.user,
      progress: 0,
      insertTime: timestamp(new Date()),
      selfLink: link(`${resource}/operations/${name}`),
      ...(place === undefined ? {} : { [kind === 'zones' ? 'zone' : 'region']: link(resource) }),
    };
    operations.set(`${work.scope}/${name}`, operation);
    return operation;
  };

  const carryOut = async (operation: Json, work: Work): Promise<void> => {
    const { signal } = closing;
    await pause(timing.pendingMs, signal);
    Object.assign(operation, { status: 'RUNNING', startTime: timestamp(new Date()) });
    await pause(timing.runningMs, signal);
    try {
      await work.run();
    } catch (error) {
      if (!(error instanceof OperationFailure)) throw error;
      const { status, code, message, errorDetails } = error.fault;
      Object.assign(operation, {
        error: { errors: [{ code, message, ...(errorDetails === undefined ? {} : { errorDetails }) }] },
        httpErrorStatusCode: status,
        httpErrorMessage: httpMessages[status] ?? 'BAD REQUEST',
      });
    }
    Object.assign(operation, { status: 'DONE', progress: 100, endTime: timestamp(new Date()) });
  };

  const get = (scope: string, name: string): Json => {
    const found = operations.get(`${scope}/${name}`);
    if (found === undefined) throw notFound(`projects/${project}/${scope}/operations/${name}`);
    return { ...found };
  };

  return {
    get,
    start: (work) => {
      const operation = create(work);
      if (work.requestId !== undefined) operation['clientOperationId'] = work.requestId;
      if (work.warnings !== undefined) operation['warnings'] = work.warnings;
      const first = { ...operation };
      const end = carryOut(operation, work).catch((error: unknown) => {
        if (!closing.signal.aborted) throw error;
      });
      ended.set(`${work.scope}/${String(operation['name'])}`, end);
      return first;
    },
    record: (scope, type, target, message) => {
      const now = timestamp(new Date());
      Object.assign(create({ scope, type, target, user: 'system' }), {
        status: 'DONE',
        progress: 100,
        statusMessage: message,
        startTime: now,
        endTime: now,
      });
    },
    wait: async (scope, name, maxMs) => {
      get(scope, name);
      const waited = new AbortController();
      const end = ended.get(`${scope}/${name}`) ?? Promise.resolve();
      await Promise.race([end, pause(maxMs, AbortSignal.any([waited.signal, closing.signal])).catch(() => undefined)]);
      waited.abort();
      return get(scope, name);
    },
    list: (scope) =>
      [...operations].filter(([key]) => key.startsWith(`${scope}/`)).map(([, operation]) => ({ ...operation })),
    repeated: (requestId, target) => {
      if (requestId === undefined) return undefined;
      if (!uuid.test(requestId) || requestId === noUuid)
        throw new ApiError(
          400,
          'invalid',
          `Invalid value for field 'requestId': '${requestId}'. The request ID must be a valid UUID.`,
        );
      const known = byRequest.get(`${requestId} ${target}`);
      return known === undefined ? undefined : get(scopeOf(known), String(known['name']));
    },
    remember: (requestId, target, operation) => {
      if (requestId !== undefined) byRequest.set(`${requestId} ${target}`, operation);
    },
    close: () => closing.abort(),
  };
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const noUuid = '00000000-0000-0000-0000-000000000000';

const httpMessages: Record<number, string> = {
  403: 'FORBIDDEN',
  404: 'NOT FOUND',
  409: 'CONFLICT',
  429: 'TOO MANY REQUESTS',
  500: 'INTERNAL SERVER ERROR',
  503: 'SERVICE UNAVAILABLE',
};

function scopeOf(operation: Json): string {
  return String(operation['zone']).split('/').slice(-2).join('/');
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal, ref: false });
}
