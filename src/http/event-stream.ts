import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { invalid } from '../core/errors.ts';

/** Something with a number, by which a client that lost its connection says where to go on. */
export type Numbered = { seq: number };

export type EventSource = {
  /** Batches as they come; an empty one where there is nothing at the moment. Ends early when the signal is aborted. */
  follow: (signal: AbortSignal) => AsyncIterable<Numbered[]>;
  /** What `event: end` says, after the last of them. */
  end: () => Promise<object>;
};

export type SendEvents = (reply: FastifyReply, source: EventSource) => FastifyReply;

/** Proxies close connections on which nothing is said for long. */
const keepAliveMs = 15_000;
/** A stream outlives the key or session that it was opened with by no more than this, and what the keyring keeps. */
const admissionMs = 2_000;

/** Streams of server-sent events that end with their client, and with the service. */
export function createEventStreams(app: FastifyInstance): SendEvents {
  const open = new Set<AbortController>();
  app.addHook('preClose', (done) => {
    for (const controller of open) controller.abort();
    done();
  });

  return (reply, source) => {
    const controller = new AbortController();
    open.add(controller);
    reply.raw.once('close', () => {
      open.delete(controller);
      controller.abort();
    });
    const { isStillLetIn = async () => true } = reply.request;
    const follow = (signal: AbortSignal) => whileLetIn(source.follow(signal), isStillLetIn, controller);
    return reply
      .headers({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      })
      .send(Readable.from(render({ ...source, follow }, controller.signal), { objectMode: false }));
  };
}

/** Breaks the stream off once who follows may no more. */
async function* whileLetIn(
  batches: AsyncIterable<Numbered[]>,
  isStillLetIn: () => Promise<boolean>,
  controller: AbortController,
): AsyncGenerator<Numbered[]> {
  let askedAtMs = performance.now();
  for await (const batch of batches) {
    if (performance.now() - askedAtMs > admissionMs) {
      if (!(await isStillLetIn())) return controller.abort();
      askedAtMs = performance.now();
    }
    yield batch;
  }
}

async function* render({ follow, end }: EventSource, signal: AbortSignal): AsyncGenerator<string> {
  // Said at once, so that the client sees its headers before the first event.
  yield 'retry: 1000\n\n';
  let spokenAtMs = performance.now();
  for await (const batch of follow(signal)) {
    const isDue = performance.now() - spokenAtMs > keepAliveMs;
    if (batch.length === 0 && !isDue) continue;
    yield batch.length === 0 ? ': still here\n\n' : batch.map(eventText).join('');
    spokenAtMs = performance.now();
  }
  if (!signal.aborted) yield `event: end\ndata: ${JSON.stringify(await end())}\n\n`;
}

function eventText(item: Numbered): string {
  return `id: ${item.seq}\ndata: ${JSON.stringify(item)}\n\n`;
}

/** The number of the last event seen, as an EventSource sends it when it comes back; −1 where it has seen none. */
export function lastEventId(header: string | string[] | undefined): number {
  if (header === undefined || header === '') return -1;
  const seq = Number(header);
  if (!Number.isSafeInteger(seq) || seq < -1)
    throw invalid('Last-Event-ID', `"${String(header)}" is no id of an event; send the last one received.`);
  return seq;
}
