import { createParser } from 'eventsource-parser';
import { Refusal, refusalOf } from './client.ts';

const retryAfterMs = 1000;

type Following<Item> = {
  /** The id of the last event that is known already; '' for all from the beginning. */
  after: string;
  signal: AbortSignal;
  /** Empty once the service has answered. */
  onItems: (items: Item[]) => void;
  /** The connection is gone, and is being opened again. */
  onBreak: () => void;
};

/**
 * Server-sent events until `event: end`. After a broken connection it goes on behind the last event.
 *
 * @throws Refusal where the service will not have it
 */
export async function follow<Item>(path: string, { after, signal, onItems, onBreak }: Following<Item>): Promise<void> {
  let last = after;
  while (!signal.aborted) {
    try {
      for await (const events of eventsOf(path, last, signal)) {
        onItems(events.filter(({ id }) => id !== undefined).map(({ data }) => JSON.parse(data) as Item));
        last = events.findLast(({ id }) => id !== undefined)?.id ?? last;
        if (events.some(({ event }) => event === 'end')) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refusal && error.status < 500) throw error;
    }
    if (!signal.aborted) onBreak();
    await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
  }
}

type Event = { id?: string | undefined; event?: string | undefined; data: string };

/** Events as they come, in batches: a log of many lines is drawn once a batch. */
async function* eventsOf(path: string, last: string, signal: AbortSignal): AsyncGenerator<Event[]> {
  const resume: Record<string, string> = last === '' ? {} : { 'last-event-id': last };
  const headers = { accept: 'text/event-stream', ...resume };
  const response = await fetch(path, { signal, cache: 'no-store', headers });
  if (!response.ok) throw await refusalOf(response);
  if (response.body === null) return;
  yield [];
  let batch: Event[] = [];
  const parser = createParser({ onEvent: (event) => batch.push(event) });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parser.feed(part.value);
    if (batch.length > 0) yield batch;
    batch = [];
  }
}
