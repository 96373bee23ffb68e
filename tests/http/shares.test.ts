import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { hourMs } from '../../src/core/time.ts';
import type { Database } from '../../src/db/database.ts';
import { createRollup } from '../../src/shares/rollup.ts';
import { operatorKey, test } from '../support/app.ts';

/** So many PFLOP/s-days in the last whole hour, of a job with this label. */
async function use(db: Database, tenantId: string, compute: number, more: { kind?: string; project?: string } = {}) {
  const to = new Date(Math.floor(Date.now() / hourMs) * hourMs);
  const { kind = 'H100', project } = more;
  const jobId = newId('job');
  const spec = project === undefined ? {} : { labels: { project } };
  const times = { createdAt: to, queuedAt: to };
  const job = {
    id: jobId,
    tenantId,
    name: 'a',
    state: 'succeeded' as const,
    spec,
    quoteId: '',
    options: [],
    priority: 50,
  };
  await db.client.job.create({ data: { ...job, ...times } });
  const place = { provider: 'local', region: 'here', kind, from: new Date(to.getTime() - hourMs), to };
  const amounts = { acceleratorSeconds: 3600, petaflopSeconds: compute * 86_400, microUsd: 1_000_000 };
  await db.client.usageEntry.create({
    data: { tenantId, jobId, attempt: 1, instanceId: newId('instance'), ...place, ...amounts },
  });
}

const close = (value: number) => expect.closeTo(value, 6);

test('use in groups: by tenant, organisation, kind and label, each with its share', async ({ api, db }) => {
  const [org, vision, speech] = [await api.tenant('org'), await api.tenant('vision'), await api.tenant('speech')];
  for (const { id } of [vision, speech]) await api.ask(operatorKey, `PUT /v1/tenants/${id}/policy`, { parent: org.id });
  await use(db, vision.id, 5, { project: 'maps' });
  await use(db, vision.id, 1, { kind: 'cpu' });
  await createRollup({ db, preemptions: [] })();
  await use(db, speech.id, 2, { project: 'maps' });
  const groups = async (key: string, groupBy: string) =>
    (await api.ask(key, `GET /v1/shares?groupBy=${groupBy}`))
      .json()
      .groups.map(({ value, name, compute, share }: Record<string, unknown>) => [value, name, compute, share]);
  expect(await groups(operatorKey, 'kind')).toEqual([
    ['H100', null, close(7), close(7 / 8)],
    ['cpu', null, close(1), close(1 / 8)],
  ]);
  expect(await groups(operatorKey, 'label:project')).toEqual([
    ['maps', null, close(7), close(7 / 8)],
    [null, null, close(1), close(1 / 8)],
  ]);
  expect(await groups(operatorKey, 'parent')).toEqual([[org.id, 'org', close(8), close(1)]]);
  expect((await groups(operatorKey, 'tenant'))[0]).toEqual([vision.id, 'vision', close(6), close(6 / 8)]);
  expect(await groups(speech.keys.viewer, 'kind')).toEqual([['H100', null, close(2), close(2 / 8)]]);
  expect(await groups(speech.keys.viewer, 'tenant')).toEqual([[speech.id, 'speech', close(2), close(2 / 8)]]);
  expect(await groups(speech.keys.viewer, 'parent')).toEqual([[org.id, null, close(2), close(2 / 8)]]);
  await use(db, vision.id, 7);
  expect((await groups(operatorKey, 'label:project')).map(([value]: unknown[]) => value)).toEqual([null, 'maps']);
  const wrong = await api.ask(operatorKey, 'GET /v1/shares?groupBy=colour');
  expect(wrong.json()).toMatchObject({ status: 400, errors: [{ pointer: '?groupBy' }] });
});

test('the series has every hour, its concentration, and the largest groups in it', async ({ api, db }) => {
  const [vision, speech] = [await api.tenant('vision'), await api.tenant('speech')];
  await use(db, vision.id, 3);
  await createRollup({ db, preemptions: [] })();
  await use(db, speech.id, 1);
  const { series } = (await api.ask(operatorKey, 'GET /v1/shares?window=6h&series=hour&groupBy=tenant')).json();
  expect(series.length).toBeGreaterThanOrEqual(6);
  const used = series.filter(({ compute }: { compute: number }) => compute > 0);
  expect(used).toMatchObject([
    {
      compute: close(4),
      acceleratorHours: close(2),
      costUsd: 2,
      hhi: close(0.625),
      largestShare: close(0.75),
      groups: [
        { value: vision.id, compute: close(3), share: close(0.75) },
        { value: speech.id, compute: close(1), share: close(0.25) },
      ],
    },
  ]);
  expect(series[0]).toMatchObject({ compute: 0, hhi: null, groups: [] });
  const own = (await api.ask(speech.keys.viewer, 'GET /v1/shares?window=2d&series=day&groupBy=tenant')).json().series;
  expect(own.flatMap(({ groups }: { groups: unknown[] }) => groups)).toMatchObject([{ value: speech.id }]);
  const long = await api.ask(operatorKey, 'GET /v1/shares?window=90000h&series=hour');
  expect(long.json()).toMatchObject({ status: 400, errors: [{ pointer: '?series' }] });
});

test('the Lorenz curve, which tells each share, is for who may see the shares of others', async ({ api, db }) => {
  const [vision, speech] = [await api.tenant('vision'), await api.tenant('speech')];
  await use(db, vision.id, 3);
  await use(db, speech.id, 1);
  const curve = async (key: string) => (await api.ask(key, 'GET /v1/shares')).json().concentration.lorenz;
  const whole = [
    { tenants: 0, use: 0 },
    { tenants: 0.5, use: close(0.25) },
    { tenants: 1, use: close(1) },
  ];
  expect(await curve(operatorKey)).toEqual(whole);
  expect(await curve(vision.keys.admin)).toBeNull();
  await api.ask(operatorKey, 'PUT /v1/pool/policy', { tenantsSeeOthers: true });
  expect(await curve(vision.keys.admin)).toEqual(whole);
});
