import { expect } from 'vitest';
import { move } from '../../src/jobs/move-store.ts';
import { recordResiduals } from '../../src/quotes/calibrate.ts';
import { finish, spec } from '../quotes/finished.ts';
import { quoteOf } from '../quotes/sample.ts';
import { operatorKey, test, type TestApp } from '../support/app.ts';
import { waitFor } from '../support/wait.ts';

async function scrape({ ask }: TestApp, key?: string): Promise<string[]> {
  return (await ask(key, 'GET /metrics')).body.split('\n');
}

test('an operator sees the queue, the machines and what became of jobs; tenants are named only to operators', async ({
  api,
  db,
}) => {
  const { id, keys } = await api.tenant('vision');
  await scrape(api);
  for (const name of ['a', 'b']) await api.ask(keys.member, 'POST /v1/jobs', { name, command: 'true' });
  const { id: jobId } = (await api.ask(keys.member, 'POST /v1/jobs', { name: 'c', command: 'true' })).json();
  await api.ask(keys.member, `POST /v1/jobs/${jobId}/cancel`);
  await db.client.jobEvent.updateMany({ data: { at: new Date(Date.now() - 60_000) } });

  const lines = await waitFor('the moves to be counted', async () => {
    const read = await scrape(api, operatorKey);
    return read.includes('weir_job_changes_total{to="cancelled",reason="cancelled"} 1') ? read : undefined;
  });
  expect(lines).toEqual(
    expect.arrayContaining([
      'weir_database_up 1',
      'weir_jobs{state="queued"} 2',
      'weir_jobs{state="running"} 0',
      'weir_jobs{state="cancelled"} 1',
      'weir_job_changes_total{to="queued",reason=""} 3',
      'weir_leases_expired 0',
      'weir_heartbeat_age_seconds 0',
      `weir_tenant_jobs{tenant="${id}",state="queued"} 2`,
    ]),
  );
  expect(lines.some((line) => line.startsWith('weir_queue_oldest_seconds '))).toBe(true);
  const open = await scrape(api);
  expect(open).toContain('weir_jobs{state="queued"} 2');
  expect(open.join('\n')).not.toContain(id);
});

test('how long jobs waited for their first start is a histogram that names nobody', async ({ api, db }) => {
  const { keys } = await api.tenant('vision');
  await scrape(api);
  const { id: jobId, createdAt } = (await api.ask(keys.member, 'POST /v1/jobs', { name: 'a', command: 'true' })).json();
  const at = new Date(Date.parse(createdAt) + 45_000);
  const change = { jobId, at, attempt: 1, reason: null, message: 'Test.' };
  await db.transaction((tx) => move(tx, { ...change, from: 'queued', to: 'provisioning' }));
  await db.transaction((tx) => move(tx, { ...change, from: 'provisioning', to: 'running', set: { startedAt: at } }));
  // Two minutes back, since moves are counted a moment after they were made. Only its row is of now, as that of a task made late.
  for (const column of ['queued_at', 'started_at'])
    await db.pool.query(`UPDATE job SET ${column} = ${column} - interval '2 minutes'`);
  await db.pool.query(`UPDATE job_event SET at = at - interval '2 minutes'`);
  const lines = await waitFor('the wait to be counted', async () => {
    const read = await scrape(api);
    return read.includes('weir_job_wait_seconds_count 1') ? read : undefined;
  });
  expect(lines).toEqual(
    expect.arrayContaining([
      'weir_job_wait_seconds_bucket{le="30"} 0',
      'weir_job_wait_seconds_bucket{le="60"} 1',
      'weir_job_wait_seconds_sum 45',
    ]),
  );
});

test('how wrong quotes were is told by accelerator and basis', async ({ api, db }) => {
  const { id: tenantId } = await api.tenant('vision');
  const quote = quoteOf(spec);
  const predicted = quote.options[0]?.durationSeconds.p50 ?? 0;
  await recordResiduals(db.client, [await finish(db, { tenantId, quote, seconds: predicted * 2 })]);
  expect(await scrape(api)).toEqual(
    expect.arrayContaining([
      'weir_quote_error_ratio{of="duration",accelerator="",basis="",quantile="0.5"} 0.5',
      'weir_quote_error_ratio{of="duration",accelerator="cpu",basis="",quantile="0.9"} 0.5',
      'weir_quote_bias_ratio{of="duration",accelerator="",basis="examples"} -0.5',
      'weir_quote_coverage_ratio{of="duration",accelerator="",basis=""} 1',
    ]),
  );
});

test('without the database the metrics of the process are still told', async ({ db }) => {
  const { openApp } = await import('../support/app.ts');
  const { openDatabase } = await import('../../src/db/database.ts');
  const away = openDatabase('postgresql://127.0.0.1:1/away');
  const api = await openApp({ ...db, client: away.client });
  const lines = await scrape(api);
  expect(lines).toContain('weir_database_up 0');
  await api.close();
  await away.close();
});

test('who holds how much, how budgets burn, and what runs full; whose it is only operators read', async ({ api }) => {
  const { id } = await api.tenant('vision');
  await api.ask(operatorKey, `PUT /v1/tenants/${id}/policy`, { budget: { monthlyUsd: 50 } });
  await api.ask(operatorKey, `POST /v1/tenants/${id}/adjustments`, { amountUsd: 12.5, reason: 'Licence' });
  const lines = await scrape(api, operatorKey);
  expect(lines).toEqual(
    expect.arrayContaining([
      `weir_tenant_spent_usd{tenant="${id}",period="month"} 12.5`,
      `weir_tenant_budget_usd{tenant="${id}",period="month"} 50`,
      `weir_tenant_reserved_usd{tenant="${id}"} 0`,
      `weir_tenant_share_ratio{tenant="${id}"} 0`,
      'weir_spent_usd{period="month"} 12.5',
      'weir_share_hhi 0',
      'weir_wasted_pflops_days{cause="preempted"} 0',
      'weir_queue_backlog{step="dispatch"} 2',
    ]),
  );
  expect(Number(lines.find((line) => line.startsWith('weir_data_disk_free_bytes '))?.split(' ')[1])).toBeGreaterThan(0);
  const open = await scrape(api);
  expect(open).toContain('weir_share_hhi 0');
  expect(open.join('\n')).not.toContain(id);
});
