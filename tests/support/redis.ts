import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';
import { waitFor } from './wait.ts';

export type RedisServer = {
  url: string;
  flush: () => Promise<void>;
  restart: () => Promise<void>;
  stop: () => Promise<void>;
};

/** A real Redis of its own on a free port, keeping nothing on disk. */
export async function startRedis(): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-redis-'));
  const port = await freePort();
  const start = () => startServer(['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory]);
  let server = await start();
  const url = `redis://127.0.0.1:${port}`;
  const client = new Redis(url, { maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  await waitFor('redis-server to answer', () =>
    client.ping().then(
      (answer) => answer === 'PONG',
      () => false,
    ),
  );
  const kill = async () => {
    server.kill('SIGKILL');
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  };
  return {
    url,
    flush: async () => {
      await client.flushall();
    },
    restart: async () => {
      await kill();
      server = await start();
    },
    stop: async () => {
      client.disconnect();
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function startServer(flags: string[]): Promise<ChildProcess> {
  const server = spawn('redis-server', flags, { stdio: 'ignore' });
  await once(server, 'spawn').catch((cause: unknown) => {
    throw new Error(
      'redis-server is not installed: `apt-get install redis-server`, or leave this out with `npm test`.',
      { cause },
    );
  });
  return server;
}
