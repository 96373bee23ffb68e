/** The few calls the quickstart makes, as any HTTP client would. */
export type Api = {
  get: <T>(path: string) => Promise<T>;
  post: <T>(path: string, body: unknown) => Promise<T>;
  /** Server-sent events of a path, as they come. */
  follow: (path: string) => AsyncGenerator<{ event: string; data: string }>;
};

export function createApi(baseUrl: string, key: string): Api {
  const headers = { authorization: `Bearer ${key}` };
  const call = async <T>(path: string, init: RequestInit): Promise<T> => {
    const response = await fetch(baseUrl + path, init);
    const body = (await response.json()) as T & { detail?: string; errors?: unknown };
    if (!response.ok)
      throw new Error(
        `${init.method} ${path} answered ${response.status}: ${body.detail} ${JSON.stringify(body.errors ?? '')}`,
      );
    return body;
  };
  return {
    get: (path) => call(path, { method: 'GET', headers }),
    post: (path, body) =>
      call(path, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    follow: async function* (path) {
      const response = await fetch(baseUrl + path, { headers: { ...headers, accept: 'text/event-stream' } });
      if (response.body === null) return;
      let text = '';
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        const messages = (text + chunk).split('\n\n');
        text = messages.pop() ?? '';
        yield* messages.map(parseEvent).filter((message) => message.data !== '');
      }
    },
  };
}

function parseEvent(message: string): { event: string; data: string } {
  const fields = new Map(
    message.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
  return { event: fields.get('event') ?? 'message', data: fields.get('data') ?? '' };
}
