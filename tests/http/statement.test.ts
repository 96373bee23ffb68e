import { parse } from 'csv-parse/sync';
import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import type { StatementLine } from '../../src/protocol/share.ts';
import { charge, reserve } from '../../src/shares/store.ts';
import { insertUse } from '../../src/shares/usage-store.ts';
import { operatorKey, test, type TestApp, type TestTenant } from '../support/app.ts';

function adjust(api: TestApp, tenantId: string, body: object, headers = {}) {
  return api.ask(operatorKey, `POST /v1/tenants/${tenantId}/adjustments`, body, headers);
}

async function statement(api: TestApp, { id, keys }: TestTenant): Promise<StatementLine[]> {
  return (await api.ask(keys.viewer, `GET /v1/tenants/${id}/statement`)).json().items;
}

test('an operator corrects what is owed; the reason is on the statement and in the audit', async ({ api }) => {
  const vision = await api.tenant('vision');
  const made = await adjust(api, vision.id, { amountUsd: 2.5, reason: 'Licence' });
  expect(made.statusCode).toBe(201);
  const credit = (await adjust(api, vision.id, { amountUsd: -3.000001, reason: 'Outage' })).json();
  expect(credit).toMatchObject({
    tenant: vision.id,
    job: null,
    amountUsd: -3.000001,
    reason: 'Outage',
    spentUsd: -0.500001,
  });
  const lines = await statement(api, vision);
  expect(lines.map(({ kind, account, amountUsd, note }) => [kind, account, amountUsd, note])).toEqual([
    ['adjust', 'available', -2.5, 'Licence'],
    ['adjust', 'spent', 2.5, 'Licence'],
    ['adjust', 'spent', -3.000001, 'Outage'],
    ['adjust', 'available', 3.000001, 'Outage'],
  ]);
  expect(lines.map(({ id }) => id)).toContain(credit.id);
  const newest: StatementLine[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const after: string = cursor === undefined ? '' : `&cursor=${cursor}`;
    const path = `GET /v1/tenants/${vision.id}/statement?sort=-at&limit=3${after}`;
    const page = (await api.ask(vision.keys.viewer, path)).json();
    newest.push(...page.items);
    cursor = page.nextCursor as string | null;
  }
  expect(newest).toEqual(lines.toReversed());
  const { items } = (await api.ask(operatorKey, `GET /v1/audit?tenant=${vision.id}`)).json();
  expect(items[0]).toMatchObject({
    action: 'adjustment.create',
    target: credit.id,
    after: { amountUsd: -3.000001, reason: 'Outage' },
  });
});

test('a repeated adjustment is one, also where its answer was lost', async ({ api, db }) => {
  const vision = await api.tenant('vision');
  const ask = () => adjust(api, vision.id, { amountUsd: 1, reason: 'Licence' }, { 'idempotency-key': 'k' });
  const first = (await ask()).json();
  expect((await ask()).json()).toEqual(first);
  await db.client.idempotentRequest.updateMany({ data: { status: null, sealed: null, createdAt: new Date(0) } });
  expect((await ask()).json()).toEqual(first);
  expect(await statement(api, vision)).toHaveLength(2);
});

test('an adjustment names its job, which must be the tenant’s', async ({ api }) => {
  const [vision, speech] = [await api.tenant('vision'), await api.tenant('speech')];
  const { id: job } = (await api.ask(vision.keys.member, 'POST /v1/jobs', { name: 'a', command: 'true' })).json();
  expect((await adjust(api, vision.id, { amountUsd: 1, reason: 'r', job })).json()).toMatchObject({ job });
  const refused = await adjust(api, speech.id, { amountUsd: 1, reason: 'r', job });
  expect(refused.json()).toMatchObject({ status: 400, errors: [{ pointer: '/job' }] });
});

test('an adjustment that says nothing is refused, each fault with its place', async ({ api }) => {
  const { id } = await api.tenant('vision');
  const pointers = async (body: object) =>
    (await adjust(api, id, body)).json().errors.map(({ pointer }: { pointer: string }) => pointer);
  expect(await pointers({})).toEqual(['/amountUsd', '/reason']);
  expect(await pointers({ amountUsd: 2e9, reason: '' })).toEqual(['/amountUsd', '/reason']);
  expect(await pointers({ amountUsd: 0.0000001, reason: 'r' })).toEqual(['/amountUsd']);
});

test('as CSV the statement is one table of all lines, in numbers and text that no spreadsheet takes for a formula', async ({
  api,
  db,
}) => {
  const vision = await api.tenant('vision');
  await adjust(api, vision.id, { amountUsd: -1.5, reason: '=HYPERLINK("http://x","a, b")' });
  for (let amount = 1; amount <= 510; amount += 1)
    await db.transaction(async (tx) => {
      const { adjust: post } = await import('../../src/shares/store.ts');
      await post(tx, { tenantId: vision.id, amount, note: 'line\nbreak', at: new Date() });
    });
  for (const [path, headers] of [
    ['?format=csv&limit=5', {}],
    ['', { accept: 'text/html, text/csv;q=0.9, */*;q=0.1' }],
  ] as const) {
    const answer = await api.ask(
      vision.keys.viewer,
      `GET /v1/tenants/${vision.id}/statement${path}`,
      undefined,
      headers,
    );
    expect(answer.headers).toMatchObject({ 'content-type': 'text/csv; charset=utf-8' });
    expect(answer.headers['content-disposition']).toContain(`statement-${vision.id}.csv`);
    const rows = parse(answer.body, { columns: true }) as Record<string, string>[];
    expect(rows).toHaveLength(1022);
    expect(rows[0]).toMatchObject({
      kind: 'adjust',
      amountUsd: '-1.5',
      job: '',
      note: `'=HYPERLINK("http://x","a, b")`,
    });
    expect(rows[2]).toMatchObject({ amountUsd: '-0.000001', note: 'line\nbreak' });
  }
  const unknown = Buffer.from('ent_01h455vb4pex5vsknk084sn02q').toString('base64url');
  const refused = await api.ask(
    vision.keys.viewer,
    `GET /v1/tenants/${vision.id}/statement?format=csv&cursor=${unknown}`,
  );
  expect(refused.json()).toMatchObject({ status: 400, errors: [{ pointer: '?cursor' }] });
  expect(refused.headers).not.toHaveProperty('content-disposition');
  const json = await api.ask(vision.keys.viewer, `GET /v1/tenants/${vision.id}/statement?format=json`, undefined, {
    accept: 'text/csv',
  });
  expect(json.json().items).toHaveLength(50);
});

test('against an organisation’s budget counts what its teams spend, what is reserved, and what was corrected', async ({
  api,
  db,
}) => {
  const [org, team] = [await api.tenant('org'), await api.tenant('team')];
  await api.ask(operatorKey, `PUT /v1/tenants/${org.id}/policy`, { budget: { monthlyUsd: 50, totalUsd: 100 } });
  await api.ask(operatorKey, `PUT /v1/tenants/${team.id}/policy`, { parent: org.id });
  const posting = { tenantId: team.id, jobId: newId('job'), attempt: 1, note: '', at: new Date() };
  await reserve(db.client, { ...posting, amount: 10_000_000 });
  await charge(db.client, { ...posting, amount: 4_000_000 });
  await adjust(api, org.id, { amountUsd: -1.5, reason: 'Outage' });
  const budgetOf = async ({ id, keys }: TestTenant) =>
    (await api.ask(keys.viewer, `GET /v1/tenants/${id}/quotas`)).json().budget;
  const limits = { monthlyUsd: 50, totalUsd: 100 };
  expect(await budgetOf(org)).toEqual({ ...limits, spentThisMonthUsd: 2.5, spentTotalUsd: 2.5, reservedUsd: 6 });
  expect(await budgetOf(team)).toMatchObject({ monthlyUsd: null, spentThisMonthUsd: 4, reservedUsd: 6 });

  const use = { jobId: posting.jobId, attempt: 1, instanceId: newId('instance'), provider: 'local', region: 'here' };
  const from = new Date(Date.now() - 60_000);
  const amounts = {
    kind: 'cpu',
    from,
    to: new Date(),
    acceleratorSeconds: 60,
    petaflopSeconds: 1,
    microUsd: 4_000_000,
  };
  await insertUse(db.client, [{ tenantId: team.id, ...use, ...amounts }]);
  const spent = async (query: string) => {
    const { items } = (await api.ask(org.keys.viewer, `GET /v1/tenants/${org.id}/usage?window=2d${query}`)).json();
    return items.reduce((sum: number, { costUsd }: { costUsd: number }) => sum + costUsd, 0);
  };
  expect([await spent(''), await spent('&teams=true')]).toEqual([0, 4]);
});
