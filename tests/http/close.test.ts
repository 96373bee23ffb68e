import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { closeApp } from '../../src/http/close.ts';

/** An app in the middle of its answer to a client that keeps its connections. */
async function answering() {
  const app = Fastify();
  const body = new PassThrough();
  app.get('/', (_request, reply) => reply.send(body));
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  const sent = request({ port, host: '127.0.0.1', agent }).end();
  body.write('first');
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { app, agent, body, response };
}

test('a connection that its client keeps after a stream that ended while closing does not hold up the end', async () => {
  const { app, agent, body, response } = await answering();
  const startedAt = performance.now();
  const closed = closeApp(app);
  body.end('last');
  expect(await response.setEncoding('utf8').toArray()).toEqual(['first', 'last']);
  await closed;
  expect(performance.now() - startedAt).toBeLessThan(1_500);
  agent.destroy();
});

test('an answer without end is cut off after its grace', async () => {
  const { app, agent, response } = await answering();
  const closed = closeApp(app);
  await expect(response.toArray()).rejects.toThrow('aborted');
  await closed;
  agent.destroy();
});
