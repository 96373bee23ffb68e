import type { FastifyInstance } from 'fastify';

const idleCheckMs = 50;
/** A client that takes longer over its request than this is cut off. */
const graceMs = 2_000;

/**
 * Stops listening and lets the requests under way come to their end. A connection that was busy when this began is idle after
 * its answer, and Node would wait for it as long as its client keeps it: more than a minute for a browser.
 */
export async function closeApp(app: FastifyInstance): Promise<void> {
  const closed = app.close();
  const idleCheck = setInterval(() => app.server.closeIdleConnections(), idleCheckMs);
  const grace = setTimeout(() => app.server.closeAllConnections(), graceMs);
  try {
    await closed;
  } finally {
    clearInterval(idleCheck);
    clearTimeout(grace);
  }
}
