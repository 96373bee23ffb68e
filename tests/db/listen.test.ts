import { once } from 'node:events';
import { createServer, connect as connectTo, type AddressInfo, type Server, type Socket } from 'node:net';
import { expect } from 'vitest';
import { createListener } from '../../src/db/listen.ts';
import { test } from '../support/database.ts';
import { waitFor } from '../support/wait.ts';

/** A way to the database that can be cut. */
async function openWay(databaseUrl: string) {
  const { hostname, port } = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const way = { isCut: false, refused: 0 };
  const join = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on('error', () => undefined).on('close', () => to.destroy());
    from.pipe(to);
  };
  const server: Server = createServer((near) => {
    if (way.isCut) {
      way.refused += 1;
      near.destroy();
      return;
    }
    const far = connectTo(Number(port), hostname);
    join(near, far);
    join(far, near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(databaseUrl);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    way,
    cut: () => {
      way.isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    close: () => server.close(),
  };
}

test('after the database was away for a while, what is committed is heard again', async ({ db }) => {
  const { url, way, cut, close } = await openWay(db.url);
  const listener = createListener(url);
  const heard: string[] = [];
  const stop = await listener.on('news', (payload) => void heard.push(payload));
  const tell = (payload: string) => db.pool.query('SELECT pg_notify($1, $2)', ['news', payload]);
  await tell('before');
  await waitFor('the first', () => heard.includes('before'));

  cut();
  await waitFor('several vain attempts', () => way.refused >= 2);
  way.isCut = false;
  await waitFor('it to be heard again', async () => {
    await tell('after');
    return heard.includes('after');
  });

  stop();
  await listener.close();
  close();
});

test('a listener that is closed while the database is away tries no more', async ({ db }) => {
  const { url, way, cut, close } = await openWay(db.url);
  const listener = createListener(url);
  await listener.on('news', () => undefined);
  cut();
  await waitFor('a vain attempt', () => way.refused >= 1);
  await listener.close();
  const { refused } = way;
  await expect(listener.on('news', () => undefined)).rejects.toThrow('closed');
  expect(way.refused).toBe(refused);
  close();
});
