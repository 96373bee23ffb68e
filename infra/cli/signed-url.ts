import { Failure, failureOf } from './failure.ts';
import type { Problem } from './generated/api.ts';

const again = 'run the command again';

/** Sends to or fetches from the object store, which may be another server than weir: it is not to see the key. */
export async function fetchSigned(url: string, what: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, init).catch((error: unknown) => {
    throw new Failure(`${what} can't be moved: ${new URL(url).host} does not answer.`, { cause: error, next: again });
  });
  if (response.ok) return response;
  if (response.headers.get('content-type')?.includes('problem+json') === true)
    throw failureOf((await response.json()) as Problem);
  throw new Failure(`${what} can't be moved: the store answered ${response.status}.`, { next: again });
}
