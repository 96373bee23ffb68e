import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { hashToken, newToken } from '../../src/core/tokens.ts';
import type { Database } from '../../src/db/database.ts';
import { recordEvent } from '../../src/jobs/move-store.ts';
import { maxLogChunkBytes } from '../../src/protocol/runner.ts';
import { operatorKey, test as withApp, type TestApp } from '../support/app.ts';
import { waitFor } from '../support/wait.ts';
import { at, endJob, insertJob, numbered, pack, writerOf } from './fixtures.ts';

type Get = (path: string, headers?: Record<string, string>, signal?: AbortSignal) => Promise<Response>;

const test = withApp.extend<{ get: Get }>({
  /** Asks as the operator, over a real connection. */
  get: async ({ api }, use) => {
    await api.app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = api.app.server.address() as AddressInfo;
    const authorization = `Bearer ${operatorKey}`;
    await use((path, headers = {}, signal) =>
      fetch(`http://127.0.0.1:${port}${path}`, {
        headers: { authorization, ...headers },
        ...(signal ? { signal } : {}),
      }),
    );
  },
});

const events = { accept: 'text/event-stream' };

/** Reads server-sent events as they come, fields by name. */
function readEvents(response: Response) {
  const seen: { id?: string; event?: string; data?: unknown }[] = [];
  const done = (async () => {
    let text = '';
    for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += part;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = Object.fromEntries(
          block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
        );
        if (fields['data'] !== undefined) seen.push({ ...fields, data: JSON.parse(fields['data']) });
      }
    }
  })();
  return { seen, done };
}

test('lines are listed page by page', async ({ db, get }) => {
  const { id } = await insertJob(db);
  await writerOf(db, id)(numbered(0, 5));
  const first = (await (await get(`/v1/jobs/${id}/logs?limit=3`)).json()) as { items: unknown[]; nextCursor: string };
  expect(first.items[0]).toEqual({
    seq: 0,
    attempt: 1,
    node: 0,
    stream: 'stdout',
    text: 'line 0',
    at: at.toISOString(),
  });
  const second = (await (await get(`/v1/jobs/${id}/logs?limit=3&cursor=${first.nextCursor}`)).json()) as typeof first;
  expect(second).toMatchObject({ items: [{ seq: 3 }, { seq: 4 }], nextCursor: null });
  expect((await get(`/v1/jobs/${id}/logs?cursor=nonsense`)).status).toBe(400);
});

test('of a long log its end alone is had, in every form', async ({ db, get }) => {
  const { id } = await insertJob(db);
  await writerOf(db, id)(numbered(0, 5));
  await endJob(db, id);
  const page = (await (await get(`/v1/jobs/${id}/logs?tail=2&limit=1`)).json()) as { nextCursor: string };
  expect(page).toMatchObject({ items: [{ seq: 3 }] });
  expect(await (await get(`/v1/jobs/${id}/logs?tail=2&cursor=${page.nextCursor}`)).json()).toMatchObject({
    items: [{ seq: 4 }],
    nextCursor: null,
  });
  expect(await (await get(`/v1/jobs/${id}/logs?tail=2&format=text`)).text()).toBe('line 3\nline 4\n');
  const { seen, done } = readEvents(await get(`/v1/jobs/${id}/logs?tail=2`, { ...events, 'last-event-id': '0' }));
  await done;
  expect(seen).toMatchObject([{ id: '3' }, { id: '4' }, { event: 'end' }]);
  expect(await (await get(`/v1/jobs/${id}/logs?tail=9&format=text`)).text()).toContain('line 0\n');
});

test('the whole log is text where text is wanted, by a header or in the address', async ({ db, get }) => {
  const { id } = await insertJob(db);
  await writerOf(db, id)(numbered(0, 5000));
  const whole = numbered(0, 5000)
    .map((line) => `${line}\n`)
    .join('');
  for (const answer of [
    await get(`/v1/jobs/${id}/logs`, { accept: 'text/plain' }),
    await get(`/v1/jobs/${id}/logs?format=text`, { accept: 'text/html' }),
  ]) {
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await answer.text()).toBe(whole);
  }
  expect((await get(`/v1/jobs/${id}/logs?format=csv`)).status).toBe(400);
});

test('JSON is answered where that is liked best, or nothing else is said', async ({ db, get }) => {
  const { id } = await insertJob(db);
  await writerOf(db, id)(['a']);
  for (const accept of ['application/json, text/plain, */*', '*/*', 'text/plain;q=0.5, application/json', 'text/html'])
    expect(await (await get(`/v1/jobs/${id}/logs`, { accept })).json()).toMatchObject({ items: [{ text: 'a' }] });
  const events = await get(`/v1/jobs/${id}/events`, { accept: 'application/json, text/event-stream;q=0.1' });
  expect(events.headers.get('content-type')).toContain('application/json');
});

test('lines are followed live, and the stream closes after the job’s end', async ({ db, get }) => {
  const { id } = await insertJob(db);
  const write = writerOf(db, id);
  await write(['before']);
  const answer = await get(`/v1/jobs/${id}/logs`, events);
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  const { seen, done } = readEvents(answer);
  await waitFor('the first line', () => seen.length === 1);
  await write(['live']);
  await waitFor('the live line', () => seen.length === 2);
  await endJob(db, id);
  await done;
  expect(seen).toMatchObject([
    { id: '0', data: { seq: 0, text: 'before' } },
    { id: '1', data: { seq: 1, text: 'live' } },
    { event: 'end', data: { state: 'succeeded' } },
  ]);
});

test('a client that comes back goes on after the last line it saw', async ({ db, get }) => {
  const { id } = await insertJob(db);
  await writerOf(db, id)(numbered(0, 4));
  await endJob(db, id);
  const { seen, done } = readEvents(await get(`/v1/jobs/${id}/logs`, { ...events, 'last-event-id': '2' }));
  await done;
  expect(seen).toMatchObject([{ id: '3' }, { event: 'end' }]);
  expect((await get(`/v1/jobs/${id}/logs`, { ...events, 'last-event-id': 'x' })).status).toBe(400);
});

test('a long log is followed whole', async ({ db, get }) => {
  const { id } = await insertJob(db);
  const write = writerOf(db, id);
  for (let first = 0; first < 60_000; first += 20_000) await write(numbered(first, 20_000));
  await endJob(db, id);
  const { seen, done } = readEvents(await get(`/v1/jobs/${id}/logs`, events));
  await done;
  expect(seen).toHaveLength(60_001);
});

test('events are listed and followed the same way', async ({ db, get }) => {
  const { id } = await insertJob(db);
  const event = {
    jobId: id,
    at,
    type: 'job.queued',
    attempt: null,
    from: null,
    to: 'queued',
    reason: null,
    message: 'Accepted.',
  } as const;
  await db.transaction((tx) => recordEvent(tx, event));
  const list = (await (await get(`/v1/jobs/${id}/events`)).json()) as { items: { seq: number }[] };
  expect(list).toMatchObject({
    items: [{ type: 'job.queued', to: 'queued', message: 'Accepted.', at: at.toISOString() }],
    nextCursor: null,
  });
  const { seen, done } = readEvents(
    await get(`/v1/jobs/${id}/events`, { ...events, 'last-event-id': String(list.items[0]?.seq) }),
  );
  await endJob(db, id);
  await done;
  expect(seen).toMatchObject([{ data: { type: 'job.succeeded', reason: 'completed' } }, { event: 'end' }]);
});

test('a client that leaves takes its stream with it, and a closing service all of them', async ({ db, api, get }) => {
  const { id } = await insertJob(db);
  const leaving = new AbortController();
  const left = readEvents(await get(`/v1/jobs/${id}/logs`, events, leaving.signal));
  leaving.abort();
  await expect(left.done).rejects.toThrow();
  const staying = readEvents(await get(`/v1/jobs/${id}/events`, events));
  await api.app.close();
  await staying.done;
  expect(staying.seen).toEqual([]);
});

test('another tenant’s job is not there', async ({ db, api }) => {
  const [vision, speech] = [await api.tenant('vision'), await api.tenant('speech')];
  const { id } = await insertJob(db, { tenantId: vision.id });
  for (const path of ['logs', 'events']) {
    expect((await api.ask(vision.keys.viewer, `GET /v1/jobs/${id}/${path}`)).statusCode).toBe(200);
    for (const accept of ['application/json', 'text/plain', 'text/event-stream']) {
      expect((await api.ask(speech.keys.admin, `GET /v1/jobs/${id}/${path}`, undefined, { accept })).statusCode).toBe(
        404,
      );
    }
    expect((await api.ask(operatorKey, `GET /v1/jobs/${newId('job')}/${path}`)).statusCode).toBe(404);
    expect((await api.ask(undefined, `GET /v1/jobs/${id}/${path}`)).statusCode).toBe(401);
  }
});

/** A running attempt with a runner that has claimed; answers its token. */
async function claimed(db: Database, job: { id: string; tenantId: string }): Promise<string> {
  const [token, attemptId] = [newToken(), newId('attempt')];
  await db.client.attempt.create({
    data: {
      id: attemptId,
      jobId: job.id,
      tenantId: job.tenantId,
      number: 1,
      state: 'running',
      offer: {},
      limits: {},
      createdAt: at,
      leaseExpiresAt: at,
    },
  });
  await db.client.instance.create({
    data: {
      id: newId('instance'),
      attemptId,
      tenantId: job.tenantId,
      node: 0,
      provider: 'local',
      zone: 'here',
      name: attemptId,
      state: 'ready',
      tokenHash: hashToken(token),
      requestedAt: at,
    },
  });
  return token;
}

function send(
  api: TestApp,
  token: string,
  { attempt = 1, firstLine = 0, lines = 1, type = 'application/gzip', body = pack(['a']) } = {},
) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': type };
  return api.app.inject({
    method: 'POST',
    url: `/v1/runner/logs?attempt=${attempt}&firstLine=${firstLine}&lines=${lines}`,
    headers,
    payload: body,
  });
}

test('a runner’s chunk is stored, twice delivered once, and refused from an attempt that is over', async ({
  db,
  api,
}) => {
  const job = await insertJob(db);
  const token = await claimed(db, job);
  expect((await send(api, token)).statusCode).toBe(204);
  expect((await send(api, token)).statusCode).toBe(204);
  expect((await send(api, newToken())).statusCode).toBe(401);
  expect((await send(api, token, { attempt: 2, firstLine: 1 })).json()).toMatchObject({
    status: 409,
    type: expect.stringMatching(/stale-attempt$/),
  });
  const answer = await api.ask(operatorKey, `GET /v1/jobs/${job.id}/logs`);
  expect(answer.json()).toMatchObject({ items: [{ text: 'a' }] });
});

test('what is no chunk is refused', async ({ db, api }) => {
  const token = await claimed(db, await insertJob(db));
  expect((await send(api, token, { body: Buffer.from('text') })).statusCode).toBe(400);
  expect((await send(api, token, { lines: 0 })).statusCode).toBe(400);
  expect((await send(api, token, { lines: 500_000 })).statusCode).toBe(400);
  expect((await send(api, token, { type: 'text/csv' })).statusCode).toBe(415);
  expect((await send(api, token, { body: Buffer.alloc(2 * maxLogChunkBytes + 1) })).statusCode).toBe(413);
});
