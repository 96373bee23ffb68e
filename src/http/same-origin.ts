import type { FastifyRequest } from 'fastify';

/** Whether a page of ours asked. Programs that are no browsers say nothing of it. */
export type Origin = 'ours' | 'foreign' | 'unsaid';

/**
 * Where a browser's request comes from. By the Fetch Metadata that browsers send to safe addresses; to others, such as plain HTTP
 * in a local network, by the `Origin` that they send with every request that may change something.
 * @see https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
 */
export function originOf({ headers, host }: FastifyRequest, publicUrl: string): Origin {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' ? 'ours' : 'foreign';
  const { origin } = headers;
  if (origin === undefined) return 'unsaid';
  if (!URL.canParse(origin)) return 'foreign';
  return origin === new URL(publicUrl).origin || new URL(origin).host === host ? 'ours' : 'foreign';
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

export function changesNothing({ method }: FastifyRequest): boolean {
  return safeMethods.has(method);
}
