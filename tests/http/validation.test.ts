import { expect } from 'vitest';
import type { Fault } from '../../src/core/errors.ts';
import { operatorKey, test, type TestApp } from '../support/app.ts';

const job = { name: 'train', command: 'true' };

async function faultsOf(api: TestApp, body: unknown): Promise<Fault[]> {
  const { keys } = await api.tenant('vision');
  const answer = await api.ask(keys.member, 'POST /v1/jobs', body);
  expect(answer.statusCode).toBe(400);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  return answer.json().errors;
}

test('all faults of a spec are named, each with its pointer and what would be right', async ({ api }) => {
  const faults = await faultsOf(api, {
    name: '-bad',
    comand: 'true',
    maxDuration: '2 hours',
    priority: 101,
    resources: { accelerators: 'A100-80G:8', market: 'sport', nodes: '2' },
    files: { '../escape': 'x' },
    env: { 'NO SPACES': '1' },
    inputs: [{ uri: 'ftp://x', path: 'data' }],
    deadline: 'tomorrow',
  });
  expect(Object.fromEntries(faults.map(({ pointer, detail }) => [pointer, detail]))).toMatchInlineSnapshot(`
    {
      "/comand": "There is no field "comand" here. Did you mean "command"?",
      "/command": "This is required.",
      "/deadline": ""tomorrow" is not a time such as 2026-12-01T00:00:00Z.",
      "/env/NO SPACES": ""NO SPACES" is not a name of letters, digits and underscores that starts with no digit, such as HF_TOKEN.",
      "/files/..~1escape": ""../escape" is not a path inside the working directory, such as out/model.pt.",
      "/inputs/0/uri": ""ftp://x" does not have the right form. gs://, https:// or weir://, fetched by the runner.",
      "/maxDuration": ""2 hours" is not a duration above zero such as 90s, 30m, 2h or 3d.",
      "/name": ""-bad" does not have the right form. Letters, digits, dots, dashes and underscores. Jobs of one name share their history.",
      "/priority": "This must be at most 100; it is 101.",
      "/resources/accelerators": ""A100-80G:8" names no accelerators. Did you mean "A100-80GB:8"? Write kind:count, such as A100-80GB:8, with a kind of T4, P100, V100, L4, A10G, A100, A100-80GB, H100, H200, B200; or a TPU slice, such as v5e-8.",
      "/resources/market": "This must be one of spot, on-demand, any, not "sport". Did you mean "spot"?",
      "/resources/nodes": "This must be a whole number, not "2".",
    }
  `);
});

test('an unknown field is refused with the nearest known name, nothing is read as another type', async ({ api }) => {
  expect(await faultsOf(api, { ...job, resource: {} })).toEqual([
    { pointer: '/resource', detail: 'There is no field "resource" here. Did you mean "resources"?' },
  ]);
  const { keys } = await api.tenant('speech');
  const answer = await api.ask(keys.member, 'POST /v1/jobs', { ...job, priority: '50' });
  expect(answer.json().errors).toEqual([{ pointer: '/priority', detail: 'This must be a whole number, not "50".' }]);
});

test('a union names what may stand there, or the faults of the branch that was meant', async ({ api }) => {
  expect(await faultsOf(api, { name: 'a', command: 7 })).toEqual([
    { pointer: '/command', detail: 'This must be a text or a list, not 7.' },
  ]);
  const { keys } = await api.tenant('speech');
  const list = await api.ask(keys.member, 'POST /v1/jobs', { name: 'a', command: ['python', 3] });
  expect(list.json().errors).toEqual([{ pointer: '/command/1', detail: 'This must be a text, not 3.' }]);
  const array = await api.ask(keys.member, 'POST /v1/jobs', { ...job, array: { cuont: 3 } });
  expect(array.json().errors.map(({ detail }: Fault) => detail)).toContain(
    'There is no field "cuont" here. Did you mean "count"?',
  );
  const values = await api.ask(keys.member, 'POST /v1/jobs', { ...job, array: { values: [{ lr: 1 }, { lr: {} }] } });
  expect(values.json().errors).toEqual([
    { pointer: '/array/values/1/lr', detail: 'This must be a text or a number or true or false, not an object.' },
  ]);
});

test('an accelerator by another of its names is answered with ours', async ({ api }) => {
  const { keys } = await api.tenant('speech');
  for (const [given, ours] of [
    ['A100-40GB:8', 'A100:8'],
    ['H800:8', 'H100:8'],
    ['A800', 'A100-80GB'],
    ['B200:8 ', 'B200:8'],
    ['H100x8', 'H100:8'],
    ['8xH100', 'H100:8'],
    ['8 Nvidia h100', 'H100:8'],
    ['TPU-v4:64', 'v4-64'],
    ['v5litepod-16', 'v5e-16'],
    ['v5-16', 'v5e-16'],
    ['CPU', 'none'],
  ]) {
    const answer = await api.ask(keys.member, 'POST /v1/quotes', { ...job, resources: { accelerators: given } });
    expect(answer.json().errors[0].detail).toContain(`Did you mean "${ours}"?`);
  }
});

test('a count beyond all is told apart from a name that is none', async ({ api }) => {
  const { keys } = await api.tenant('speech');
  const answer = await api.ask(keys.member, 'POST /v1/quotes', { ...job, resources: { accelerators: 'H100:100000' } });
  expect(answer.json().errors).toEqual([
    {
      pointer: '/resources/accelerators',
      detail: '"H100:100000" asks for too many accelerators: a count has at most five digits.',
    },
  ]);
});

test('text that the database can’t hold is the caller’s fault', async ({ api }) => {
  const { keys } = await api.tenant('vision');
  for (const bad of ['"a\\u0000b"', '"\\ud800"']) {
    const payload = `{"name":"a","command":"true","labels":{"x":${bad}}}`;
    const answer = await api.app.inject({
      method: 'POST',
      url: '/v1/jobs',
      payload,
      headers: { authorization: `Bearer ${keys.member}`, 'content-type': 'application/json' },
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().errors[0].pointer).toBe('/labels/x');
  }
  expect((await api.ask(keys.member, 'GET /v1/jobs?name=a%00b')).statusCode).toBe(400);
});

test('a flood of faults is answered soon and shortly', async ({ api }) => {
  const { keys } = await api.tenant('vision');
  const names = Array.from({ length: 20_000 }, (_, index) => `field${index}`);
  for (const flood of [
    Object.fromEntries(names.map((name) => [name, 1])),
    { retries: { on: names } },
    { webhooks: [{ url: 'https://example.org/', events: names }] },
  ]) {
    const startedAt = performance.now();
    expect((await api.ask(keys.member, 'POST /v1/jobs', { ...job, ...flood })).json().errors).toHaveLength(1000);
    expect(performance.now() - startedAt).toBeLessThan(3000);
  }
});

test('what a path names that is no id is not there; an unknown query field is refused', async ({ api }) => {
  const { keys } = await api.tenant('vision');
  expect((await api.ask(keys.viewer, 'GET /v1/jobs/nonsense')).statusCode).toBe(404);
  const answer = await api.ask(keys.viewer, 'GET /v1/jobs?limti=3');
  expect(answer.json().errors).toEqual([
    { pointer: '?limti', detail: 'There is no field "limti" here. Did you mean "limit"?' },
  ]);
  const { id } = (await api.ask(keys.member, 'POST /v1/jobs', job)).json();
  expect((await api.ask(keys.viewer, `GET /v1/jobs/${id}/checkpoints?limit=3`)).json().errors).toMatchObject([
    { pointer: '?limit' },
  ]);
  expect((await api.ask(keys.member, `POST /v1/jobs/${id}/cancel`, { reson: 'x' })).json().errors).toMatchObject([
    { pointer: '/reson' },
  ]);
  expect((await api.ask(keys.member, `POST /v1/jobs/${id}/cancel`, {})).statusCode).toBe(200);
});

test('what a job can’t be tried again on is refused with the nearest word', async ({ api }) => {
  const faults = await faultsOf(api, {
    ...job,
    retries: { on: ['preemption', 'out-of-memry', 'exit-code:256', 'exit-code:75'] },
  });
  const details = new Map(faults.map(({ pointer, detail }) => [pointer, detail]));
  expect([...details.keys()].toSorted()).toEqual(['/retries/on/1', '/retries/on/2']);
  expect(details.get('/retries/on/1')).toContain('Did you mean "out-of-memory"?');
  expect(details.get('/retries/on/2')).toContain('exit-code:<1 to 255>');
});

test('faults that no schema knows are named together with those of what the spec names', async ({ api }) => {
  const { id, keys } = await api.tenant('vision');
  await api.ask(operatorKey, `PUT /v1/tenants/${id}/policy`, { priorityCeiling: 50 });
  const spec = {
    name: 'train',
    command: 'true',
    deadline: '2020-01-01T00:00:00Z',
    secrets: ['NONE'],
    dependsOn: [{ job: 'job_01h455vb4pex5vsknk084sn02q' }],
    priority: 90,
  };
  const pointers = async (path: string, more: object) =>
    (await api.ask(keys.member, `POST ${path}`, { ...spec, ...more }))
      .json()
      .errors.map(({ pointer }: { pointer: string }) => pointer);
  expect(await pointers('/v1/jobs', { optionId: 'opt_01h455vb4pex5vsknk084sn02q' })).toEqual([
    '/priority',
    '/optionId',
    '/deadline',
    '/secrets/0',
    '/dependsOn/0/job',
  ]);
  expect(await pointers('/v1/quotes', { pilot: true, array: { count: 2 } })).toEqual(['/deadline', '/pilot']);
});

test('a time that no clock of ours shows is refused', async ({ api }) => {
  const { keys } = await api.tenant('vision');
  const body = { name: 'train', command: 'true', deadline: '2030-12-31T23:59:60Z' };
  expect((await api.ask(keys.member, 'POST /v1/jobs', body)).json().errors[0].pointer).toBe('/deadline');
  for (const time of ['2025-12-31T23:59:60Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59-01:00'])
    expect((await api.ask(operatorKey, `GET /v1/audit?from=${time}`)).statusCode).toBe(400);
});
