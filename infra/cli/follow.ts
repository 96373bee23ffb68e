import { setTimeout as sleep } from 'node:timers/promises';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { Away } from './failure.ts';
import { answer, type Api } from './api.ts';
import type { JobEvent, LogLine } from './generated/api.ts';

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;
type Open = (headers: Record<string, string>) => Promise<Bytes>;

const accept = { accept: 'text/event-stream' };
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
  let body = await open(accept);
  for (;;) {
    try {
      for await (const { event, id, data } of eventsOf(body)) {
        if (event === 'end') return;
        lastId = id ?? lastId;
        yield JSON.parse(data) as T;
      }
    } catch (error) {
      // What fetch throws when a connection breaks.
      if (!(error instanceof TypeError)) throw error;
    }
    const resume = lastId === undefined ? accept : { ...accept, 'last-event-id': lastId };
    body = await reopen(() => open(resume));
  }
}

async function reopen(open: () => Promise<Bytes>): Promise<Bytes> {
  const endMs = Date.now() + patienceMs;
  for (;;) {
    await sleep(retryMs);
    try {
      // What the server refuses, it will refuse again; one that does not answer may come back.
      return await open();
    } catch (error) {
      if (!(error instanceof Away) || Date.now() > endMs) throw error;
    }
  }
}

function eventsOf(body: Bytes) {
  return body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
}
