import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { createCommand, fromSources, type Weir } from '../support/installed-command.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

/** A server that answers as it is told, until the test is over; its address. */
export async function serve(answer: Answer, port = 0): Promise<string> {
  const server = createServer((request, response) => void answer(request, response)).listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** The command as a checkout has it, until the test is over: no build, no npm. */
export async function commandFromSources(env: Record<string, string> = {}): Promise<Weir> {
  const weir = await createCommand(fromSources, env);
  onTestFinished(weir.remove);
  return weir;
}
