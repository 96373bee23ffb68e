import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';

export type HttpCall = {
  method: 'GET' | 'POST' | 'PUT';
  url: URL;
  headers?: Record<string, string | number>;
  body?: Buffer | Readable;
  /** Without a byte on the connection for so long, the call fails. */
  idleTimeoutMs: number;
  signal?: AbortSignal;
  lookup?: LookupFunction;
};

export type HttpAnswer = { status: number; headers: IncomingHttpHeaders; body: Buffer };

const agents = { 'http:': new http.Agent({ keepAlive: true }), 'https:': new https.Agent({ keepAlive: true }) };

/** Sends the request and answers as soon as the head of the answer is there; its body is a stream. `fetch` would cost a third of the runner's start. */
export function openHttp(call: HttpCall): Promise<IncomingMessage> {
  const isSecure = call.url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const request = (isSecure ? https : http).request(
      call.url,
      {
        method: call.method,
        agent: agents[isSecure ? 'https:' : 'http:'],
        headers: { ...call.headers, ...(Buffer.isBuffer(call.body) ? { 'content-length': call.body.length } : {}) },
        timeout: call.idleTimeoutMs,
        ...(call.signal === undefined ? {} : { signal: call.signal }),
        ...(call.lookup === undefined ? {} : { lookup: call.lookup }),
      },
      resolve,
    );
    request.on('timeout', () =>
      request.destroy(new Error(`${call.url.host} did not answer for ${call.idleTimeoutMs} ms`)),
    );
    request.on('error', reject);
    send(request, call.body);
  });
}

function send(request: http.ClientRequest, body: Buffer | Readable | undefined): void {
  if (body === undefined || Buffer.isBuffer(body)) {
    request.end(body);
    return;
  }
  body.on('error', (error) => request.destroy(error));
  request.on('close', () => body.destroy());
  body.pipe(request);
}

/** Sends the request and reads the whole answer. */
export async function callHttp(call: HttpCall): Promise<HttpAnswer> {
  const answer = await openHttp(call);
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) };
}
