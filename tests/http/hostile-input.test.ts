import { expect } from 'vitest';
import { operatorKey, test, type TestApp } from '../support/app.ts';

const job = { name: 'train', command: 'true' };

function raw(
  { app }: TestApp,
  request: string,
  { key, body, type = 'application/json' }: { key: string; body: string; type?: string },
) {
  const [method, url = '/'] = request.split(' ', 2);
  return app.inject({
    method: method as 'POST',
    url,
    payload: body,
    headers: { authorization: `Bearer ${key}`, 'content-type': type },
  });
}

test('a policy holds no number and no window that the ledger or a calendar can’t', async ({ api }) => {
  const { id } = await api.tenant('vision');
  const put = (body: string) => raw(api, `PUT /v1/tenants/${id}/policy`, { key: operatorKey, body });
  for (const body of [
    '{"budget":{"monthlyUsd":1e309}}',
    '{"budget":{"totalUsd":1e300}}',
    '{"caps":{"runningJobs":1e300}}',
    '{"caps":{"accelerators":{"cpu":1e300}}}',
    '{"caps":{"computePflops":1e309}}',
    '{"shareCap":{"share":0.5,"window":"0d"}}',
    '{"shareCap":{"share":0.5,"window":"99999999d"}}',
  ])
    expect([body, (await put(body)).statusCode]).toEqual([body, 400]);
  expect((await put('{"budget":{"monthlyUsd":1e309}}')).json().errors[0].detail).toBe(
    'This must be at most 1000000000; it is too large a number to hold.',
  );
  expect((await api.ask(operatorKey, 'PUT /v1/pool/policy', { halfLife: '0d' })).statusCode).toBe(400);
});

test('a spec holds nothing that can only fail later', async ({ api }) => {
  const { keys } = await api.tenant('vision');
  const pointerOf = async (part: object) =>
    (await api.ask(keys.member, 'POST /v1/jobs', { ...job, ...part })).json().errors?.[0]?.pointer;
  expect(await pointerOf({ maxDuration: '0s' })).toBe('/maxDuration');
  expect(await pointerOf({ maxDuration: '99999999999999d' })).toBe('/maxDuration');
  expect(await pointerOf({ maxDuration: '1.5h' })).toBeUndefined();
  expect(await pointerOf({ maxCostUsd: 1e-9 })).toBe('/maxCostUsd');
  expect(await pointerOf({ image: '--privileged' })).toBe('/image');
  expect(await pointerOf({ image: 'us-docker.pkg.dev/p/r/train@sha256:0123' })).toBeUndefined();
  expect(await pointerOf({ labels: { ['x'.repeat(64)]: '' } })).toBe(`/labels/${'x'.repeat(64)}`);
  expect((await api.ask(keys.member, 'POST /v1/uploads', { sizeBytes: 1e300 })).json().errors[0].pointer).toBe(
    '/sizeBytes',
  );
  expect((await api.ask(keys.member, 'GET /v1/shares/report?month=0000-01')).statusCode).toBe(400);
  expect((await api.ask(keys.viewer, 'GET /v1/changes?after=1e300')).statusCode).toBe(400);
  const input = { uri: 'weir://uploads/upl_01h455vb4pex5vsknk084sn02q', path: 'data' };
  expect(await pointerOf({ inputs: Array.from({ length: 1001 }, () => input) })).toBe('/inputs');
});

test('what is no JSON is said where; no body is no fault where none is wanted', async ({ api }) => {
  const { keys } = await api.tenant('vision');
  const detailOf = async (body: string) => (await raw(api, 'POST /v1/jobs', { key: keys.member, body })).json().detail;
  expect(await detailOf('{"name":"a",')).toMatch(/^The body can't be read as JSON: .*position 12/);
  expect(await detailOf('{"name":"a","__proto__":{}}')).toMatch('__proto__');
  expect(await detailOf('')).toBe('Send a JSON object as the body.');
  expect((await raw(api, 'POST /v1/jobs', { key: keys.member, body: 'name: a', type: 'text/plain' })).statusCode).toBe(
    415,
  );
  const { id } = (await api.ask(keys.member, 'POST /v1/jobs', job)).json();
  expect((await raw(api, `POST /v1/jobs/${id}/cancel`, { key: keys.member, body: '' })).statusCode).toBe(200);
});

test('another tenant is not there, whatever the role', async ({ api }) => {
  const own = await api.tenant('vision');
  const other = await api.tenant('speech');
  for (const request of [
    `GET /v1/tenants/${other.id}`,
    `GET /v1/tenants/${other.id}/keys`,
    `PUT /v1/tenants/${other.id}/policy`,
  ])
    expect([request, (await api.ask(own.keys.viewer, request)).statusCode]).toEqual([request, 404]);
  expect((await api.ask(own.keys.viewer, `GET /v1/tenants/${own.id}/keys`)).statusCode).toBe(403);
});

test('the same body in another order is the same request', async ({ api }) => {
  const { keys } = await api.tenant('vision');
  const submit = async (body: string) =>
    (
      await api.app.inject({
        method: 'POST',
        url: '/v1/jobs',
        payload: body,
        headers: { authorization: `Bearer ${keys.member}`, 'content-type': 'application/json', 'idempotency-key': 'k' },
      })
    ).json();
  const first = await submit('{"name":"a","command":"true","env":{"A":"1","B":"2"}}');
  expect((await submit('{"env":{"B":"2","A":"1"},"command":"true","name":"a"}')).id).toBe(first.id);
  expect((await submit('{"name":"a","command":"true","env":{"A":"2","B":"1"}}')).status).toBe(422);
});

test('who has no key sends no large body', async ({ api }) => {
  const body = { host: { gpus: Array.from({ length: 40_000 }, () => 1) } };
  const small = ['claim', 'stage', 'heartbeat', 'report', 'uploads'].map((name) => `/v1/runner/${name}`);
  for (const path of [...small, '/v1/session'])
    expect([path, (await api.ask(undefined, `POST ${path}`, body)).statusCode]).toEqual([path, 413]);
  expect((await api.ask('a'.repeat(32), 'POST /v1/runner/checkpoint', body)).statusCode).toBe(401);
});
