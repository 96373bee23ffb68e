import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { insertTasks } from '../../src/jobs/store.ts';
import { operatorKey, test } from '../support/app.ts';

const job = { name: 'sweep', command: 'true' };

type Fault = { pointer: string; detail: string };

test('a hundred thousand tasks are one row and soon accepted; nobody else’s list shows them', async ({ api, db }) => {
  const { keys } = await api.tenant('vision');
  const other = await api.tenant('speech');
  const values = Array.from({ length: 100_000 }, (_, seed) => ({ seed, lr: 0.1 }));
  const answer = await api.ask(keys.member, 'POST /v1/jobs', { ...job, array: { values } });
  expect(answer.statusCode).toBe(201);
  const { id, tasks } = answer.json();
  expect(tasks).toMatchObject({ total: 100_000, queued: 100_000, running: 0 });
  expect(await db.client.job.count()).toBe(1);
  const looked = (await api.ask(keys.viewer, `GET /v1/jobs/${id}`)).json();
  expect(looked).toEqual(answer.json());
  expect((await api.ask(other.keys.viewer, `GET /v1/jobs?array=${id}`)).json().items).toEqual([]);
  const ask = (query: string, key = keys.viewer) => api.ask(key, `GET /v1/jobs/${id}/tasks${query}`);
  const waiting = {
    job: null,
    state: 'queued',
    reason: null,
    message: null,
    costUsd: 0,
    startedAt: null,
    finishedAt: null,
  };
  expect((await ask('/99999')).json()).toEqual({ ...waiting, index: 99_999, values: { seed: 99_999, lr: 0.1 } });
  expect((await ask('/100000')).json().detail).toBe(`${id} has 100000 tasks, from 0 to 99999.`);
  expect((await ask('/0', other.keys.viewer)).statusCode).toBe(404);
  const first = await ask('?limit=1000&state=queued');
  expect(first.json().items.map(({ index }: { index: number }) => index)).toEqual(
    values.slice(0, 1000).map(({ seed }) => seed),
  );
  expect(first.body.length).toBeLessThan(200 * 1000);
  const [next] = (await ask(`?limit=1&cursor=${first.json().nextCursor}`)).json().items;
  expect(next).toEqual({ ...waiting, index: 1000, values: { seed: 1000, lr: 0.1 } });
  expect((await ask('?state=running')).json()).toEqual({ items: [], nextCursor: null });
  const after = async (place: string) => (await ask(`?cursor=${Buffer.from(place).toString('base64url')}`)).json();
  for (const foreign of [id, '-5'])
    expect(await after(foreign)).toMatchObject({ status: 400, errors: [{ pointer: '?cursor' }] });
  expect(await after('99999999999')).toEqual({ items: [], nextCursor: null });
  await api.ask(keys.member, `POST /v1/jobs/${id}/cancel`);
  expect((await ask('/99999')).json()).toMatchObject({ job: null, state: 'cancelled' });
});

test('an array’s tasks are listed without what they share; a job that is no array has none', async ({ api, db }) => {
  const { keys } = await api.tenant('vision');
  const files = { 'data.txt': 'x'.repeat(100_000) };
  const spec = { ...job, files, env: { lr: '1' }, array: { values: [{ seed: 1 }, { seed: 2 }, { seed: 3 }] } };
  const array = (await api.ask(keys.member, 'POST /v1/jobs', spec)).json();
  const ids = [newId('job'), newId('job')].toSorted();
  await db.transaction(async (tx) => {
    await tx.jobArray.update({ where: { jobId: array.id }, data: { unmade: 1 } });
    await insertTasks(tx, { arrayId: array.id, ids, firstIndex: 0, at: new Date() });
  });
  const { items } = (await api.ask(keys.viewer, `GET /v1/jobs?array=${array.id}&sort=createdAt`)).json();
  expect(items).toMatchObject([
    { id: ids[0], quote: null, spec: { command: 'true', env: { lr: '1', seed: '1', WEIR_ARRAY_COUNT: '3' } } },
    { id: ids[1], quote: null, spec: { env: { seed: '2' } }, task: { array: array.id, index: 1 } },
  ]);
  expect(JSON.stringify(items).length).toBeLessThan(5_000);
  const whole = (await api.ask(keys.viewer, `GET /v1/jobs/${ids[1]}`)).json();
  expect(whole).toMatchObject({ spec: { files }, quote: { id: array.quote.id } });
  const tasks = (await api.ask(keys.viewer, `GET /v1/jobs/${array.id}/tasks`)).json().items;
  expect(tasks.map((task: { job: string | null }) => task.job)).toEqual([...ids, null]);
  const none = await api.ask(keys.viewer, `GET /v1/jobs/${ids[0]}/tasks`);
  expect([none.statusCode, none.json().detail]).toEqual([404, `${ids[0]} is no array: it has no tasks.`]);
});

test('an array over the limit, an empty one, and values that are no environment are refused at their place', async ({
  api,
}) => {
  const { keys } = await api.tenant('vision');
  const faults = async (array: object): Promise<Fault[]> =>
    (await api.ask(keys.member, 'POST /v1/jobs', { ...job, array })).json().errors;
  expect(await faults({ count: 100_001 })).toEqual([
    { pointer: '/array/count', detail: 'This must be at most 100000; it is 100001.' },
  ]);
  expect(await faults({ values: Array.from({ length: 100_001 }, () => ({})) })).toEqual([
    { pointer: '/array/values', detail: 'This must have at most 100000 items; it has 100001.' },
  ]);
  expect(await faults({ values: [] })).toEqual([{ pointer: '/array/values', detail: 'This list must not be empty.' }]);
  expect(await faults({ values: [{ lr: 1 }, { 'learning-rate': 1, '1st': 2 }, { x: 'y'.repeat(131_070) }] })).toEqual([
    expect.objectContaining({
      pointer: '/array/values/1/learning-rate',
      detail: expect.stringContaining('is not a name of letters'),
    }),
    expect.objectContaining({ pointer: '/array/values/1/1st' }),
  ]);
  expect(await faults({ values: [{ x: 'y'.repeat(131_070) }] })).toEqual([
    expect.objectContaining({ pointer: '/array/values/0/x', detail: expect.stringContaining('131072 bytes') }),
  ]);
  const flood = await faults({ values: Array.from({ length: 100_000 }, () => ({ a: null })) });
  expect(flood).toHaveLength(1000);
});

test('a cap of queued jobs counts the tasks that wait, made or not', async ({ api }) => {
  const { id, keys } = await api.tenant('vision');
  await api.ask(operatorKey, `PUT /v1/tenants/${id}/policy`, { caps: { queuedJobs: 10 } });
  const submit = (count: number) => api.ask(keys.member, 'POST /v1/jobs', { ...job, array: { count } });
  expect((await submit(11)).json()).toMatchObject({
    type: expect.stringMatching(/can-never-start$/),
    blockers: [
      { code: 'cap', unblocks: 'Make arrays of at most 10 tasks, or an operator raises caps.queuedJobs to 11.' },
    ],
  });
  expect((await submit(7)).statusCode).toBe(201);
  expect((await submit(4)).json().detail).toContain('has 7 jobs queued, and its cap is 10, and this array has 4 tasks');
  expect((await submit(3)).statusCode).toBe(201);
});

test('a job that depends on another answers what it waits for at once, and again when looked at', async ({ api }) => {
  const { keys } = await api.tenant('vision');
  const first = (await api.ask(keys.member, 'POST /v1/jobs', job)).json();
  const submitted = await api.ask(keys.member, 'POST /v1/jobs', { ...job, dependsOn: [{ job: first.id, on: 'end' }] });
  expect(submitted.statusCode).toBe(201);
  expect(submitted.json().waiting.blockers).toMatchObject([{ code: 'dependency', unblocks: `${first.id} ends.` }]);
  expect((await api.ask(keys.viewer, `GET /v1/jobs/${submitted.json().id}`)).json()).toEqual(submitted.json());
  const twice = await api.ask(keys.member, 'POST /v1/jobs', {
    ...job,
    dependsOn: [{ job: first.id }, { job: first.id, on: 'failure' }],
  });
  expect(twice.json().errors).toMatchObject([{ pointer: '/dependsOn/1/job' }]);
});
