import { Away, Failure, failureOf } from './failure.ts';
import type { Problem } from './generated/api.ts';

const next = 'run the command again';

/**
 * Sends to or fetches from the object store, which may be another server than weir: it is not to see the key.
 * @throws Failure for any answer but 2xx and 308.
 */
export async function fetchSigned(url: string, what: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, init).catch((cause: unknown) => {
    throw new Away(`${what} can't be moved: ${new URL(url).host} does not answer.`, { cause, next });
  });
  if (response.ok || response.status === 308) return response;
  const { status, headers } = response;
  if (status >= 500 || status === 429)
    throw new Away(`${what} can't be moved: the store answered ${status}.`, { next });
  if (headers.get('content-type')?.includes('problem+json') === true)
    throw failureOf((await response.json()) as Problem);
  throw new Failure(`${what} can't be moved: the store answered ${status}.`, { next });
}
