import { setTimeout as sleep } from 'node:timers/promises';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { answer, type Api } from './api.ts';
import type { JobEvent, LogLine } from './generated/api.ts';
import { createPatience, longPatienceMs, retrying } from './patience.ts';

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;
type Open = (headers: Record<string, string>) => Promise<Bytes>;

const accept = { accept: 'text/event-stream' };
const retryMs = 1000;

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
    await sleep(retryMs);
    body = await retrying(() => open(resume), createPatience(longPatienceMs));
  }
}

function eventsOf(body: Bytes) {
  return body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
}
