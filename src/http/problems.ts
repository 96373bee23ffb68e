import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { invalid, WeirError, type ErrorCode, type Fault } from '../core/errors.ts';

type Kind = { status: number; title: string };

/** What each code is over HTTP; the compiler asks for a new one's. */
const kinds = {
  invalid: { status: 400, title: 'The request is not valid' },
  unauthorized: { status: 401, title: 'A key is needed' },
  forbidden: { status: 403, title: 'The key may not do this' },
  'not-found': { status: 404, title: 'There is no such thing' },
  conflict: { status: 409, title: 'This conflicts with what is there' },
  'stale-attempt': { status: 409, title: 'The attempt is over' },
  'idempotency-mismatch': { status: 422, title: 'The Idempotency-Key was used for another request' },
  'can-never-start': { status: 422, title: 'The job can never start' },
  'too-many-queued': { status: 429, title: 'Too many jobs are queued' },
  'checksum-mismatch': { status: 422, title: 'The checksum does not match' },
  'too-large': { status: 413, title: 'The request is too large' },
  dearer: { status: 409, title: 'The job costs more than it was quoted' },
  expired: { status: 410, title: 'This has expired' },
  'range-not-satisfiable': { status: 416, title: 'There are no such bytes' },
  'not-supported': { status: 422, title: 'This is not supported' },
  'no-capacity': { status: 503, title: 'There is no capacity' },
  'storage-refused': { status: 503, title: 'The storage of this service refuses' },
  unavailable: { status: 503, title: 'Something that is needed does not answer' },
} as const satisfies Record<ErrorCode, Kind>;

/** What only HTTP can get wrong. */
const httpKinds = {
  'unsupported-media-type': { status: 415, title: 'The content type is not supported' },
  internal: { status: 500, title: 'Something went wrong on our side' },
} as const satisfies Record<string, Kind>;

type Problem = { type: string; title: string; status: number; detail: string; instance: string; errors?: Fault[] };

const retryAfterSeconds = 1;

export type Problems = {
  onError: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => FastifyReply;
  onNotFound: (request: FastifyRequest, reply: FastifyReply) => FastifyReply;
};

/** Every error, ours and Fastify's, leaves as RFC 9457 problem details. What we did not foresee shows no internals. */
export function createProblems(publicUrl: string): Problems {
  const answer = (request: FastifyRequest, reply: FastifyReply, error: WeirError | HttpFault) => {
    const { status, title } = { ...kinds, ...httpKinds }[error.code];
    const problem: Problem = {
      ...('extra' in error ? error.extra : {}),
      type: `${publicUrl}/problems/${error.code}`,
      title,
      status,
      detail: error.message,
      instance: pathOf(request),
      ...('faults' in error && error.faults.length > 0 ? { errors: error.faults } : {}),
    };
    if (status === 401) void reply.header('www-authenticate', 'Bearer');
    if (status === 429 || status === 503 || 'retryAfterSeconds' in problem)
      void reply.header('retry-after', retryAfterSeconds);
    return reply.code(status).type('application/problem+json').serializer(JSON.stringify).send(problem);
  };

  return {
    onError: (error, request, reply) => {
      const known = recognise(error);
      if (known === undefined) {
        request.log.error({ err: error }, 'request failed');
        return answer(request, reply, {
          code: 'internal',
          message: `Try again; if it stays, give the operator the request's id ${request.id}.`,
        });
      }
      if (known instanceof Error && known.cause !== undefined)
        request.log.warn({ err: known }, 'answered with a problem');
      return answer(request, reply, known);
    },
    onNotFound: (request, reply) =>
      answer(
        request,
        reply,
        new WeirError(
          'not-found',
          `There is no ${request.method} ${pathOf(request)}; GET /openapi.json lists what there is.`,
        ),
      ),
  };
}

export function answerProblems(app: FastifyInstance, publicUrl: string): void {
  const { onError, onNotFound } = createProblems(publicUrl);
  app.setErrorHandler(onError).setNotFoundHandler(onNotFound);
}

/** Without the query, which may hold a signature. */
function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? '/';
}

type HttpFault = { code: keyof typeof httpKinds; message: string };

/** Our own errors, Fastify's about the request, and a database that is away; undefined for all else. */
function recognise(error: FastifyError): WeirError | HttpFault | undefined {
  if (error instanceof WeirError) return error;
  if (isDatabaseAway(error))
    return new WeirError('unavailable', 'The database does not answer. Try again in a moment.', { cause: error });
  const status = error.statusCode ?? 500;
  if (status >= 500) return undefined;
  if (status === 413)
    return new WeirError('too-large', 'The body is larger than this route takes; data goes through POST /v1/uploads.');
  if (status === 415) return { code: 'unsupported-media-type', message: 'Send the body as application/json.' };
  return invalid('', error.message.endsWith('.') ? error.message : `${error.message}.`);
}

/** Prisma's and the driver's codes for a server that can't be reached, is starting, or stops. */
const awayCodes = new Set([
  'P1001',
  'P1002',
  'P1008',
  'P1017',
  'P2024',
  'P2028',
  'ECONNREFUSED',
  'ECONNRESET',
  '57P01',
  '57P02',
  '57P03',
  '53300',
]);

function isDatabaseAway(error: { code?: unknown; cause?: unknown }): boolean {
  if (typeof error.code === 'string' && awayCodes.has(error.code)) return true;
  return typeof error.cause === 'object' && error.cause !== null && isDatabaseAway(error.cause);
}
