import pg from 'pg';

/** Hears of rows as they are committed. A lost connection is made anew; whoever listens also looks at the rows now and then. */
export type Listener = {
  on: (channel: string, handler: (payload: string) => void) => Promise<() => void>;
  close: () => Promise<void>;
};

const reconnectMs = 1_000;

export function createListener(url: string): Listener {
  const handlers = new Map<string, Set<(payload: string) => void>>();
  const tell = (channel: string, payload: string): void => {
    for (const handler of handlers.get(channel) ?? []) handler(payload);
  };
  const connection = keepConnected(url, () => [...handlers.keys()], tell);

  return {
    on: async (channel, handler) => {
      const known = handlers.get(channel);
      const group = known ?? new Set();
      group.add(handler);
      handlers.set(channel, group);
      try {
        const client = await connection.ensure();
        if (known === undefined) await listenTo(client, channel);
      } catch (error) {
        group.delete(handler);
        throw error;
      }
      return () => group.delete(handler);
    },
    close: connection.close,
  };
}

type Connection = { ensure: () => Promise<pg.Client>; close: () => Promise<void> };

/** One connection that listens to all channels, made anew until it is there: those who listen would not ask again. */
function keepConnected(
  url: string,
  channels: () => string[],
  tell: (channel: string, payload: string) => void,
): Connection {
  let client: pg.Client | undefined;
  let connecting: Promise<pg.Client> | undefined;
  let reconnecting: NodeJS.Timeout | undefined;
  let isClosed = false;

  const connect = async (): Promise<pg.Client> => {
    const next = new pg.Client({ connectionString: url });
    next.on('notification', ({ channel, payload }) => tell(channel, payload ?? ''));
    // What is wrong shows in its end, also where it never came to be.
    next.on('error', () => undefined);
    next.once('end', () => {
      if (client === next) client = undefined;
      reconnectLater();
    });
    try {
      await next.connect();
      for (const channel of channels()) await listenTo(next, channel);
    } catch (error) {
      await next.end().catch(() => undefined);
      throw error;
    }
    client = next;
    return next;
  };
  const ensure = (): Promise<pg.Client> => {
    if (isClosed) return Promise.reject(new Error('The listener is closed.'));
    if (client !== undefined) return Promise.resolve(client);
    connecting ??= connect().finally(() => (connecting = undefined));
    return connecting;
  };
  const reconnectLater = (): void => {
    if (isClosed || reconnecting !== undefined) return;
    reconnecting = setTimeout(() => {
      reconnecting = undefined;
      ensure().catch(reconnectLater);
    }, reconnectMs).unref();
  };
  const close = async (): Promise<void> => {
    isClosed = true;
    clearTimeout(reconnecting);
    await connecting?.catch(() => undefined);
    await client?.end();
  };
  return { ensure, close };
}

async function listenTo(client: pg.Client, channel: string): Promise<void> {
  await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
}
