import pg from 'pg';

/** Hears of rows as they are committed. A lost connection is made anew; whoever listens also looks at the rows now and then. */
export type Listener = {
  on: (channel: string, handler: (payload: string) => void) => Promise<() => void>;
  close: () => Promise<void>;
};

const reconnectMs = 1_000;

export function createListener(url: string): Listener {
  const handlers = new Map<string, Set<(payload: string) => void>>();
  let client: pg.Client | undefined;
  let connecting: Promise<pg.Client> | undefined;
  let closed = false;

  const connect = async (): Promise<pg.Client> => {
    const next = new pg.Client({ connectionString: url });
    next.on('notification', ({ channel, payload }) => {
      for (const handler of handlers.get(channel) ?? []) handler(payload ?? '');
    });
    next.on('error', () => {
      client = undefined;
      if (!closed) setTimeout(() => void ensure().catch(() => undefined), reconnectMs).unref();
    });
    await next.connect();
    for (const channel of handlers.keys()) await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    client = next;
    return next;
  };
  const ensure = (): Promise<pg.Client> => {
    if (client !== undefined) return Promise.resolve(client);
    connecting ??= connect().finally(() => (connecting = undefined));
    return connecting;
  };

  return {
    on: async (channel, handler) => {
      const known = handlers.get(channel);
      const group = known ?? new Set();
      group.add(handler);
      handlers.set(channel, group);
      const connection = await ensure();
      if (known === undefined) await connection.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
      return () => group.delete(handler);
    },
    close: async () => {
      closed = true;
      await client?.end();
    },
  };
}
