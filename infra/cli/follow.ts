import { setTimeout as sleep } from 'node:timers/promises';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { Failure } from './failure.ts';
import { answer, type Api } from './api.ts';
import type { JobEvent, LogLine } from './generated/api.ts';

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;
type Open = (headers: Record<string, string>) => Promise<Bytes>;

const retryMs = 1000;
/** So long a server may be away, as while it is restarted, before we stop waiting for it. */
const patienceMs = 120_000;

export function followLog(api: Api, job: string): AsyncGenerator<LogLine> {
  return follow<LogLine>((headers) =>
    answer(api.GET('/v1/jobs/{job}/logs', { params: { path: { job } }, headers, parseAs: 'stream' })).then(asBytes),
  );
}

export function followEvents(api: Api, job: string): AsyncGenerator<JobEvent> {
  return follow<JobEvent>((headers) =>
    answer(api.GET('/v1/jobs/{job}/events', { params: { path: { job } }, headers, parseAs: 'stream' })).then(asBytes),
  );
}

function asBytes(body: unknown): Bytes {
  return body as Bytes;
}

/** Server-sent events until `event: end`; after a lost connection it goes on where it was. */
async function* follow<T>(open: Open): AsyncGenerator<T> {
  let lastId: string | undefined;
  let heardAtMs = Date.now();
  for (;;) {
    const resume = lastId === undefined ? {} : { 'last-event-id': lastId };
    try {
      const body = await open({ accept: 'text/event-stream', ...resume });
      for await (const { event, id, data } of eventsOf(body)) {
        heardAtMs = Date.now();
        if (event === 'end') return;
        lastId = id ?? lastId;
        yield JSON.parse(data) as T;
      }
    } catch (error) {
      // What the server refuses, it will refuse again; a connection may come back.
      if ((error instanceof Failure && isFinal(error)) || Date.now() - heardAtMs > patienceMs) throw error;
    }
    await sleep(retryMs);
  }
}

function eventsOf(body: Bytes) {
  return body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
}

function isFinal({ problem }: Failure): boolean {
  return problem !== undefined && problem.status < 500;
}
