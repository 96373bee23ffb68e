const storedAs = 'weir.key';

/** The key lives as long as the tab. */
export const key = {
  get: () => sessionStorage.getItem(storedAs),
  /** @param {string} value */
  set: (value) => sessionStorage.setItem(storedAs, value),
  forget: () => sessionStorage.removeItem(storedAs),
};

/** What the service answered that is no success. */
export class Refusal extends Error {
  /** @param {number} status @param {string} detail */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** @param {string} path @param {{ headers?: Record<string, string>, signal?: AbortSignal }} init */
async function request(path, init = {}) {
  const response = await fetch(path, {
    ...init,
    cache: 'no-store',
    headers: { ...init.headers, authorization: `Bearer ${key.get() ?? ''}` },
  });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new Refusal(response.status, problem.detail ?? `The service answered ${response.status}.`);
}

/**
 * @template Answer
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @returns {Promise<Answer>}
 */
export async function get(path, signal) {
  return (await request(path, signal === undefined ? {} : { signal })).json();
}

/** Follows to where a file may be had without a key, and lets the browser download it from there. @param {string} path */
export async function download(path) {
  const controller = new AbortController();
  const { url } = await request(path, { signal: controller.signal });
  controller.abort();
  location.assign(url);
}

/**
 * Server-sent events with a key, which EventSource can't send. After a broken connection it goes on behind the last event.
 *
 * @template Item
 * @param {string} path
 * @param {{ after: string, signal: AbortSignal, onItems: (items: Item[]) => void }} options
 */
export async function follow(path, { after, signal, onItems }) {
  let last = after;
  while (!signal.aborted) {
    try {
      const headers = { accept: 'text/event-stream', ...(last === '' ? {} : { 'last-event-id': last }) };
      for await (const events of eventsOf(await request(path, { headers, signal }))) {
        last = events.findLast(({ id }) => id !== '')?.id ?? last;
        onItems(events.filter(({ id }) => id !== '').map(({ data }) => JSON.parse(data)));
        if (events.some(({ event }) => event === 'end')) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refusal && error.status < 500) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** Events as they come, in batches. @param {Response} response */
async function* eventsOf({ body }) {
  if (body === null) return;
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const messages = (text + part.value).split('\n\n');
    text = messages.pop() ?? '';
    yield messages.map(parseEvent);
  }
}

/** @param {string} message */
function parseEvent(message) {
  /** @type {Record<string, string>} */
  const fields = {};
  for (const line of message.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
  }
  return { id: fields['id'] ?? '', event: fields['event'] ?? 'message', data: fields['data'] ?? '' };
}
