import { randomUUID } from 'node:crypto';
import createClient, { type Client } from 'openapi-fetch';
import { version } from '../../src/core/version.ts';
import { Away, exitCodes, Failure, failureOf, notSignedIn } from './failure.ts';
import type { paths, Problem } from './generated/api.ts';
import { retrying } from './patience.ts';
import { noteVersion } from './server-version.ts';
import { createStatusLine } from './status-line.ts';

export type Api = Client<paths>;

/** `isOfEnvironment`: the key is what WEIR_KEY holds. */
export type Server = { url: string; key: string; isOfEnvironment?: boolean };

export function createApi({ url, key, isOfEnvironment = false }: Server): Api {
  return createClient<paths>({
    baseUrl: url,
    headers: { authorization: `Bearer ${key}`, 'user-agent': `weir-cli/${version}` },
    fetch: async (request) => {
      const response = await fetchInTime(url, request);
      noteVersion(response.headers.get('weir-version'));
      if (isOfEnvironment && response.status === 401) throw await strangeKey(url, response);
      return response;
    },
  });
}

/** To sign in would not help: WEIR_KEY comes before what is kept. */
async function strangeKey(url: string, response: Response): Promise<Failure> {
  const problem: unknown = await response.json().catch(() => undefined);
  return new Failure(`WEIR_KEY holds a key that ${url} does not know.`, {
    exitCode: exitCodes.notSignedIn,
    problem: isProblem(problem) ? problem : undefined,
    next: 'set another one, or unset WEIR_KEY to use what weir login keeps',
  });
}

const answerMs = 30_000;
/** A replay may take a minute, and one under other rules is two. */
const simulationMs = 180_000;

/** A server may take long to send an answer, but not to begin it. */
async function fetchInTime(url: string, request: Request): Promise<Response> {
  const limitMs = request.url.endsWith('/v1/simulations') ? simulationMs : answerMs;
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), limitMs);
  try {
    return await fetch(request, { signal: AbortSignal.any([request.signal, silence.signal]) });
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw unreachable(url, silence.signal.aborted ? `it has said nothing for ${limitMs / 1000} s` : error);
  } finally {
    clearTimeout(timer);
  }
}

function unreachable(url: string, why: unknown): Failure {
  return new Away(`weir does not answer at ${url}: ${typeof why === 'string' ? why : codeOf(why)}`, {
    cause: why,
    next: 'check the address (weir login --server URL changes it) and that weir runs there',
  });
}

/** Why fetch has failed. */
function codeOf(error: unknown): string {
  const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  return code ?? message;
}

export type Answer<T> = { data?: T; error?: unknown; response: Response };

/** What a call answers. @throws Failure with the server's problem. */
export async function answer<T>(call: Promise<Answer<T>>): Promise<NonNullable<T>> {
  const { data, error, response } = await call.catch((thrown: unknown) => {
    if (thrown instanceof SyntaxError) throw notWeir(undefined);
    throw thrown;
  });
  if (!response.ok) throw failureOfResponse(error, response);
  if (data === undefined || data === null) return {} as NonNullable<T>;
  return data;
}

/** With these nothing has reached the server. */
const unsent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);

/**
 * Makes something. By its key a repeat makes nothing twice, so that a weir that is away is waited for. `look` is what shows whether it
 * was made all the same, where we stop waiting.
 */
export async function make<T>(
  call: (header: { 'Idempotency-Key': string }) => Promise<Answer<T>>,
  look?: string,
): Promise<NonNullable<T>> {
  const header = { 'Idempotency-Key': randomUUID() };
  const line = createStatusLine();
  let mayBeMade = false;
  const tryOnce = () =>
    answer(call(header)).catch((error: unknown) => {
      if (error instanceof Away) {
        mayBeMade ||= !unsent.has(codeOf(error.cause ?? error));
        line.set(`${error.message} Waiting for it …`);
      }
      throw error;
    });
  try {
    return await retrying(tryOnce);
  } catch (error) {
    if (!(error instanceof Away) || !mayBeMade || look === undefined) throw error;
    throw error.with({ next: `it may have been done all the same: ${look} shows whether` });
  } finally {
    line.clear();
  }
}

export function failureOfResponse(error: unknown, { status }: Response): Failure {
  if (isProblem(error)) return failureOf(error);
  return status === 401 ? notSignedIn('The server asks for a key.') : notWeir(status);
}

function isProblem(error: unknown): error is Problem {
  return typeof error === 'object' && error !== null && 'title' in error && 'detail' in error;
}

/** Who stands in between says by some answers that weir is away. */
function notWeir(status: number | undefined): Failure {
  const said = status === undefined ? 'something' : `${status} with something`;
  const message = `The server answered ${said} that is not weir's: a proxy may stand in between.`;
  const details = { next: 'check the address: weir login --server URL' };
  const isAway = status !== undefined && (status >= 500 || status === 429);
  return isAway ? new Away(message, details) : new Failure(message, details);
}

/** A list of the API, or its beginning. */
export type List<T> = { items: T[]; nextCursor: string | null };

/** Pages are at most this long. */
export const pageLimit = 1000;

/** The first `limit` of a list, however many pages that takes. */
export async function firstOf<T>(
  limit: number,
  page: (query: { limit: number; cursor?: string }) => Promise<List<T>>,
): Promise<List<T>> {
  const items: T[] = [];
  let nextCursor: string | null = null;
  do {
    const after: { cursor?: string } = nextCursor === null ? {} : { cursor: nextCursor };
    const read = await page({ limit: Math.min(pageLimit, limit - items.length), ...after });
    items.push(...read.items);
    nextCursor = read.nextCursor;
  } while (nextCursor !== null && items.length < limit);
  return { items, nextCursor };
}
