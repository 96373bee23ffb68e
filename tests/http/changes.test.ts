import type { AddressInfo } from 'node:net';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { expect } from 'vitest';
import type { Changes, Job } from '../../src/protocol/job.ts';
import { createRecord } from '../../src/dispatch/record.ts';
import { move } from '../../src/jobs/move-store.ts';
import { operatorKey, test as withApp } from '../support/app.ts';
import { waitFor } from '../support/wait.ts';

type Follow = (key: string, headers?: Record<string, string>) => Promise<{ seen: Changes[]; done: Promise<void> }>;

const test = withApp.extend<{ follow: Follow }>({
  /** Follows in the background, over a real connection. */
  follow: async ({ api }, use) => {
    await api.app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = api.app.server.address() as AddressInfo;
    const leaving = new AbortController();
    await use(async (key, headers = {}) => {
      const { body } = await fetch(`http://127.0.0.1:${port}/v1/changes`, {
        headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream', ...headers },
        signal: leaving.signal,
      });
      const seen: Changes[] = [];
      const events = body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
      const done = (async () => {
        for await (const { event, data } of events ?? [])
          if (event === undefined) seen.push(JSON.parse(data) as Changes);
      })();
      done.catch(() => undefined);
      await waitFor('the first event', () => seen.length > 0);
      return { seen, done };
    });
    leaving.abort();
  },
});

const jobsOf = (seen: Changes[]) => seen.flatMap(({ jobs }) => jobs);

test('who follows is told of each job that changes: an operator of all, a tenant of its own', async ({
  api,
  db,
  follow,
}) => {
  const [vision, speech] = [await api.tenant('vision'), await api.tenant('speech')];
  const submit = async (key: string) =>
    (await api.ask(key, 'POST /v1/jobs', { name: 'a', command: 'true' })).json<Job>();
  await submit(vision.keys.member);
  const [all, own] = [await follow(operatorKey), await follow(vision.keys.viewer)];
  expect(all.seen[0]).toEqual({ seq: expect.any(Number), jobs: [], isPartial: false, dispatchedAt: null });

  const [a, b] = [await submit(vision.keys.member), await submit(speech.keys.member)];
  await waitFor('both jobs', () => jobsOf(all.seen).length === 2 && jobsOf(own.seen).length === 1);
  expect(jobsOf(own.seen)).toEqual([{ id: a.id, tenant: vision.id, state: 'queued' }]);

  const change = {
    from: 'queued',
    to: 'cancelled',
    at: new Date(),
    attempt: null,
    reason: 'cancelled',
    message: 'Cancelled.',
  } as const;
  await db.transaction((tx) => move(tx, { ...change, jobId: b.id }));
  await waitFor('the end of the second', () => jobsOf(all.seen).length === 3);
  expect(jobsOf(all.seen).at(-1)).toEqual({ id: b.id, tenant: speech.id, state: 'cancelled' });

  await createRecord({ db, now: () => new Date('2026-11-25T12:00:00Z') })(emptyRound, 0.001);
  await waitFor('the round', () => own.seen.at(-1)?.dispatchedAt === '2026-11-25T12:00:00.000Z');
  expect(jobsOf(own.seen)).toHaveLength(1);
});

const emptyRound = { looked: 0, started: 0, preempted: 0, fairnessError: [], standings: [], breaches: [] };

test('a client goes on where it was, and one that was away for too long is told so', async ({ api, db, follow }) => {
  const { id, keys } = await api.tenant('vision');
  const submit = async () => (await api.ask(keys.member, 'POST /v1/jobs', { name: 'a', command: 'true' })).json<Job>();
  const { seen } = await follow(keys.viewer);
  const first = await submit();
  await waitFor('the job', () => jobsOf(seen).length === 1);
  const seq = seen.at(-1)?.seq ?? 0;
  const missed = await submit();
  const again = await follow(keys.viewer, { 'last-event-id': String(seq) });
  await waitFor('what was missed', () => jobsOf(again.seen).length > 0);
  expect(jobsOf(again.seen)).toEqual([{ id: missed.id, tenant: id, state: 'queued' }]);

  const listed = (await api.ask(keys.viewer, `GET /v1/changes?after=${seq}`)).json<Changes>();
  expect(listed).toMatchObject({ jobs: [{ id: missed.id }], isPartial: false });
  await db.pool.query(
    `INSERT INTO job_event (job_id, at, type, message) SELECT $1, now(), 'attempt.progress', '' FROM generate_series(1, 10100)`,
    [first.id],
  );
  expect((await api.ask(keys.viewer, `GET /v1/changes?after=${seq}`)).json()).toMatchObject({
    jobs: [],
    isPartial: true,
  });
  const partial = await follow(keys.viewer, { 'last-event-id': String(seq) });
  expect(partial.seen[0]).toMatchObject({ jobs: [], isPartial: true });
});

test('an event that was committed after a later one is told of, and once', async ({ api, db, follow }) => {
  const { keys } = await api.tenant('vision');
  const jobs = await Promise.all(
    ['early', 'late'].map(async (name) =>
      (await api.ask(keys.member, 'POST /v1/jobs', { name, command: 'true' })).json<Job>(),
    ),
  );
  const { seen } = await follow(operatorKey);
  const insert = 'INSERT INTO job_event (job_id, at, type, message) VALUES ($1, now(), $2, $2)';
  const slow = await db.pool.connect();
  await slow.query('BEGIN');
  await slow.query(insert, [jobs[0]?.id, 'slow']);
  await db.pool.query(insert, [jobs[1]?.id, 'quick']);
  await waitFor('the quick one', () => jobsOf(seen).length === 1);
  await slow.query('COMMIT');
  slow.release();
  await waitFor('the slow one', () => jobsOf(seen).length === 2);
  expect(jobsOf(seen).map(({ id }) => id)).toEqual([jobs[1]?.id, jobs[0]?.id]);
});

test('a stream ends with the key that it was opened with', async ({ api, follow }) => {
  const { id, keys } = await api.tenant('vision');
  const made = (await api.ask(keys.admin, `POST /v1/tenants/${id}/keys`, { role: 'viewer' })).json();
  const { done } = await follow(made.key);
  await api.ask(keys.admin, `DELETE /v1/tenants/${id}/keys/${made.id}`);
  await done;
});
