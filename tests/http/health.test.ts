import { expect } from 'vitest';
import { Gauge, Registry } from 'prom-client';
import { version } from '../../src/core/version.ts';
import { openApp, operatorKey, test } from '../support/app.ts';

test('readiness names what does not answer; liveness does not ask', async ({ db }) => {
  const api = await openApp(db, {
    checks: {
      database: async () => true,
      queue: () => Promise.reject(new Error('away')),
      objectStore: async () => false,
    },
  });
  const answer = await api.ask(undefined, 'GET /readyz');
  expect(answer.statusCode).toBe(503);
  expect(answer.json()).toMatchObject({ down: ['queue', 'object store'] });
  expect((await api.ask(undefined, 'GET /healthz')).statusCode).toBe(200);
  await api.close();
});

test('metrics name tenants only with an operator’s key, and requests by their route', async ({ db }) => {
  const metrics = new Registry();
  new Gauge({ name: 'weir_test_jobs', help: 'Jobs.', labelNames: ['tenant'], registers: [metrics] }).set(
    { tenant: 'tnt_vision' },
    3,
  );
  const api = await openApp(db, { metrics });
  const { keys } = await api.tenant('vision');
  await api.ask(keys.viewer, 'GET /v1/jobs/job_01h455vb4pex5vsknk084sn02q');
  for (const key of [undefined, keys.admin]) {
    const answer = await api.ask(key, 'GET /metrics');
    expect(answer.statusCode).toBe(200);
    expect(answer.body).not.toContain('tnt_vision');
    expect(answer.body).toContain('weir_http_request_seconds_count{method="GET",route="/v1/jobs/:job",status="404"} 1');
  }
  expect((await api.ask(operatorKey, 'GET /metrics')).body).toContain('weir_test_jobs{tenant="tnt_vision"} 3');
  await api.close();
});

test('the page of the specification and its program come from here', async ({ api }) => {
  expect((await api.ask(undefined, 'GET /docs')).headers['location']).toBe('/docs/');
  const page = await api.ask(undefined, 'GET /docs/');
  expect(page.body).toContain('/openapi.json');
  expect(page.body).not.toMatch(/src="https?:/);
  expect((await api.ask(undefined, 'GET /docs/js/scalar.js')).body.length).toBeGreaterThan(1_000_000);
});

test('who has a key is told which weir answers, a stranger is not', async ({ api }) => {
  const { keys } = await api.tenant('vision');
  expect((await api.ask(keys.viewer, 'GET /v1/jobs')).headers['weir-version']).toBe(version);
  expect((await api.ask(keys.viewer, 'GET /v1/audit')).headers['weir-version']).toBeUndefined();
  expect((await api.ask(undefined, 'GET /healthz')).headers['weir-version']).toBeUndefined();
});
