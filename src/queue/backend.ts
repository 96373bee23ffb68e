import {
  createPostgresBackend,
  createRedisBackend,
  DEFAULT_SCHEMA,
  runMigrations,
  type BackendFactory,
  type ConnectionOptions,
} from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';

/** Where the queues live. `senders` fail at once when it is away, `workers` wait for its return. */
export type Backend = {
  factory: BackendFactory;
  senders: ConnectionOptions;
  workers: ConnectionOptions;
  /** How long an idle worker waits before it looks without having been called. */
  idlePollSeconds: number;
  ping: () => Promise<unknown>;
  close: () => Promise<unknown>;
};

/** All queues and workers share one pool: each would open its own, with a connection for every worker beside it. */
export async function openPostgres(connectionString: string, workers: number): Promise<Backend> {
  const pool = new pg.Pool({
    connectionString,
    // Each worker keeps one to LISTEN on.
    max: workers + 5,
    keepAlive: true,
    // BullMQ keeps the failure of a worker's first connection for ever: one that starts on a machine that is busy for some
    // seconds would never work. Where nobody listens, the connection fails at once.
    connectionTimeoutMillis: 60_000,
    idleTimeoutMillis: 60_000,
    options: `-c search_path=${DEFAULT_SCHEMA}`,
  });
  pool.on('error', () => undefined);
  // Each queue and each worker listens for its errors: Node would take them for a leak.
  pool.setMaxListeners(4 * workers + 10);
  const client = await pool.connect();
  try {
    // Holds a lock: of several processes that start together, one migrates.
    await runMigrations(client);
  } finally {
    client.release();
  }
  return {
    factory: createPostgresBackend as unknown as BackendFactory,
    senders: pool as unknown as ConnectionOptions,
    workers: pool as unknown as ConnectionOptions,
    idlePollSeconds: 30,
    ping: () => pool.query('SELECT 1'),
    close: () => pool.end(),
  };
}

/** @throws Error where no Redis answers at the start. Later it may come and go. */
export async function openRedis(url: string, onError: (error: unknown) => void): Promise<Backend> {
  const senders = new Redis(url, { maxRetriesPerRequest: 1, enableOfflineQueue: false, lazyConnect: true });
  // Each worker adds a connection of its own to block on.
  const workers = new Redis(url, { maxRetriesPerRequest: null, lazyConnect: true });
  const disconnect = () => [senders, workers].forEach((connection) => connection.disconnect());
  for (const connection of [senders, workers]) connection.on('error', onError);
  await Promise.all([senders.connect(), workers.connect()]).catch((cause: unknown) => {
    disconnect();
    throw new Error(
      'REDIS_URL names a Redis that does not answer. Start it, or leave REDIS_URL unset to keep the queues in PostgreSQL.',
      { cause },
    );
  });
  return {
    factory: createRedisBackend,
    senders,
    workers,
    idlePollSeconds: 5,
    ping: () => senders.ping(),
    close: async () => disconnect(),
  };
}
