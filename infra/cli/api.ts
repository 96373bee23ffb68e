import { setTimeout as sleep } from 'node:timers/promises';
import createClient, { type Client } from 'openapi-fetch';
import { version } from '../../src/core/version.ts';
import { Away, failureOf, notSignedIn, type Failure } from './failure.ts';
import type { paths, Problem } from './generated/api.ts';
import { noteVersion } from './server-version.ts';

export type Api = Client<paths>;

export type Server = { url: string; key: string };

export function createApi({ url, key }: Server): Api {
  return createClient<paths>({
    baseUrl: url,
    headers: { authorization: `Bearer ${key}`, 'user-agent': `weir-cli/${version}` },
    fetch: async (request) => {
      const response = await fetchRepeatable(request).catch((error: unknown) =>
        Promise.reject(unreachable(url, error)),
      );
      noteVersion(response.headers.get('weir-version'));
      return response;
    },
  });
}

const maxFailures = 4;
const firstPauseMs = 500;

/** With an Idempotency-Key a repeat makes nothing twice, so that a connection which breaks is no reason to give up. */
async function fetchRepeatable(request: Request): Promise<Response> {
  if (!request.headers.has('idempotency-key')) return fetch(request);
  for (let failures = 1; ; failures += 1) {
    try {
      return await fetch(request.clone());
    } catch (error) {
      if (failures === maxFailures) throw error;
      await sleep(firstPauseMs * 2 ** (failures - 1));
    }
  }
}

function unreachable(url: string, error: unknown): Failure {
  const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  return new Away(`weir does not answer at ${url}: ${code ?? message}`, {
    cause: error,
    next: 'check the address (weir login --server URL changes it) and that weir runs there',
  });
}

type Answer<T> = { data?: T; error?: unknown; response: Response };

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

export function failureOfResponse(error: unknown, { status }: Response): Failure {
  if (isProblem(error)) return failureOf(error);
  return status === 401 ? notSignedIn('The server asks for a key.') : notWeir(status);
}

function isProblem(error: unknown): error is Problem {
  return typeof error === 'object' && error !== null && 'title' in error && 'detail' in error;
}

/** Who stands in between may do so because weir is away. */
function notWeir(status: number | undefined): Failure {
  const said = status === undefined ? 'something' : `${status} with something`;
  return new Away(`The server answered ${said} that is not weir's: a proxy may stand in between.`, {
    next: 'check the address: weir login --server URL',
  });
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
