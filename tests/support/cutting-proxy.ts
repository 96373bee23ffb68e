import { once } from 'node:events';
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type CuttingProxy = {
  /** In front of a server on this host. */
  url: string;
  /** The connection that brings the byte of this number, counted over all, is cut there. */
  cutAt: (byte: number) => void;
  /** What was sent, also what was lost. */
  sentBytes: () => number;
  close: () => void;
};

/**
 * Hands requests on to fake-gcs-server and breaks connections where it is told to. How much of an upload has arrived it answers
 * itself, as Cloud Storage would: fake-gcs-server takes that question for the end of the upload.
 */
export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const ranges = new Map<string, string>();
  const cuts: number[] = [];
  let sentBytes = 0;

  const handOn = (request: IncomingMessage, response: ServerResponse): void => {
    const { method, url = '/', headers } = request;
    const upstream = ask(`${target}${url}`, { method, headers: { ...headers, host: new URL(target).host } });
    upstream.on('error', () => response.destroy());
    upstream.on('response', (answer) => {
      if (answer.statusCode === 308 && answer.headers.range !== undefined) ranges.set(url, answer.headers.range);
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.on('data', (chunk: Buffer) => {
      sentBytes += chunk.length;
      if (cuts[0] === undefined || sentBytes < cuts[0]) return;
      cuts.shift();
      upstream.destroy();
      request.destroy();
    });
    request.pipe(upstream);
  };

  const server = createServer((request, response) => {
    const { url = '/', headers } = request;
    if (!headers['content-range']?.startsWith('bytes */')) return handOn(request, response);
    const range = ranges.get(url);
    response.writeHead(308, range === undefined ? {} : { range }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cutAt: (byte) => void cuts.push(byte),
    sentBytes: () => sentBytes,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
