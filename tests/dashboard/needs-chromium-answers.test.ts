import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { ended } from '../support/service.ts';
import { visit } from './browser.ts';
import { resources, useDashboard } from './use-dashboard.ts';

// Answers that are late, lost, refused or overtaken: the browser lets the test stand between page and service.

const dashboard = useDashboard();
const { openAs } = dashboard;

test('of two jobs whose files have one name and size, each shows its own, at whatever address weir is open', async () => {
  const ids: string[] = [];
  for (const said of ['one', 'two']) {
    const command = `mkdir out; echo ${said} > out/said.txt`;
    const { id } = await dashboard.vision.submit({ name: said, command, resources, outputs: ['out/'] });
    await dashboard.vision.until(id, ended);
    ids.push(id);
  }
  const { url } = dashboard.installation;
  const page = await openAs(dashboard.vision, '/jobs', url.replace('127.0.0.1', 'localhost'));
  await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor();
  for (const [at, said] of ['one', 'two'].entries()) {
    await visit(page, `/jobs/${ids[at]}`);
    await page.getByRole('heading', { name: `${said} succeeded` }).waitFor();
    await page.getByRole('button', { name: 'Look at out/said.txt' }).click();
    const file = page.getByRole('figure', { name: 'out/said.txt' }).locator('pre');
    await file.waitFor();
    expect(await file.textContent()).toBe(`${said}\n`);
  }
  await page.close();
});

test('which page of the jobs is read the address keeps, and their CSV has all of them, with their ids', async () => {
  const page = await openAs(dashboard.vision, '/jobs');
  await page.route('**/v1/jobs/summaries*', (route) =>
    route.continue({ url: route.request().url().replace('limit=50', 'limit=1') }),
  );
  await page.reload();
  await page.getByRole('button', { name: 'Further' }).click();
  await page.getByText('51 to 51').waitFor();
  await page.getByRole('rowheader', { name: 'one' }).getByRole('link').click();
  await page.getByRole('heading', { name: 'one succeeded' }).waitFor();
  await page.goBack();
  await page.getByText('51 to 51').waitFor();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'CSV' }).click()]);
  const rows = (await readFile(await file.path(), 'utf8')).trimEnd().split('\r\n');
  expect(rows[0]).toMatch(/^Job,State,.*,Id,Tenant id$/);
  expect(rows.slice(1).map((row) => row.split(',')[0])).toEqual(['two', 'one']);
  expect(rows[1]).toMatch(new RegExp(`,job_\\w+,${dashboard.vision.tenantId}$`));
  await page.close();
});

test('of its budgets a tenant sees what counts against them', async () => {
  const { operator } = dashboard.installation;
  const lab = await dashboard.installation.tenant('budgeted');
  await operator.call('PUT', `/v1/tenants/${lab.tenantId}/policy`, { budget: { monthlyUsd: 100, totalUsd: 500 } });
  await operator.call('POST', `/v1/tenants/${lab.tenantId}/adjustments`, { amountUsd: 40, reason: 'Licences' });
  const page = await openAs(lab, '/tenant');
  const burn = page.getByRole('region', { name: 'Budget burn' });
  await burn.getByText('40 % of $100.00 this month').waitFor();
  await burn.getByText('8 % of $500.00 in all').waitFor();
  await burn.getByText('$40.00 booked this month; at the pace of the last week $40.00 by its end.').waitFor();
  await page.close();
});

test('in a low window the navigation scrolls to its end by itself', async () => {
  const page = await openAs(dashboard.installation.operator, '/');
  await page.setViewportSize({ width: 1280, height: 480 });
  const signOut = page.getByRole('button', { name: 'Sign out' });
  await signOut.scrollIntoViewIfNeeded();
  const { y = 0, height = 0 } = (await signOut.boundingBox()) ?? {};
  expect(y + height).toBeLessThanOrEqual(480);
  expect(await page.evaluate(() => window.scrollY)).toBe(0);
  await page.close();
});

async function openPolicy(): Promise<Page> {
  const page = await openAs(dashboard.installation.operator, `/tenants/${dashboard.vision.tenantId}`);
  await page.getByRole('tab', { name: 'Policy' }).click();
  await page.getByLabel('Weight').waitFor();
  return page;
}

test('a preview counts for what it was asked of, and only if it succeeded', async () => {
  const page = await openPolicy();
  const save = page.getByRole('button', { name: 'Save the policy' });
  const preview = page.getByRole('button', { name: 'Preview last week' });
  let answer = Promise.withResolvers<void>();
  await page.route('**/v1/simulations', async (route) => {
    await answer.promise;
    await route.continue();
  });
  await page.getByLabel('Weight').fill('3');
  await preview.click();
  await page.getByLabel('Weight').fill('4');
  answer.resolve();
  await page.locator('button[data-loading]').waitFor({ state: 'detached' });
  expect(await save.isDisabled()).toBe(true);
  await page.getByText('then save.').waitFor();
  await page.getByLabel('Weight').fill('3');
  await page.getByText('This is what the last week would have been.').waitFor();

  await page.unroute('**/v1/simulations');
  await page.route('**/v1/simulations', (route) => route.abort());
  await page.getByLabel('Weight').fill('5');
  await preview.click();
  await page.getByRole('alert').filter({ hasText: 'Try again in a moment' }).waitFor();
  expect(await save.isDisabled()).toBe(true);
  await page.close();
});

test('a policy that somebody else saved meanwhile is not undone without notice', async () => {
  const page = await openPolicy();
  await page.getByLabel('Weight').fill('7');
  await page.getByRole('button', { name: 'Preview last week' }).click();
  await page.getByText('This is what the last week would have been.').waitFor();
  const path = `/v1/tenants/${dashboard.vision.tenantId}/policy`;
  await dashboard.installation.operator.call('PUT', path, { weight: 2, caps: { runningJobs: 4 } });
  const save = page.getByRole('button', { name: 'Save the policy' });
  // Who reads it again before the save has the notice already.
  await save.click({ timeout: 5000 }).catch(() => undefined);
  await page.getByRole('alert').filter({ hasText: 'The policy was changed meanwhile' }).waitFor();
  expect(await dashboard.installation.operator.get(path)).toEqual({ weight: 2, caps: { runningJobs: 4 } });
  await page.getByRole('button', { name: 'Take the newer one' }).click();
  expect(await page.getByLabel('Running jobs').inputValue()).toBe('4');
  await page.close();
});

test('a submission whose answer was lost makes one job when it is sent again', async () => {
  const page = await openAs(dashboard.vision, '/submit');
  for (const [field, value] of [
    ['Name', 'sent-twice'],
    ['Command', 'true'],
    ['Cores', '1'],
    ['Memory', '0.25'],
    ['Disk', '0.25'],
  ] as const)
    await page.getByRole('textbox', { name: field }).fill(value);
  await page.getByRole('button', { name: 'Quote' }).click();
  const submit = page.getByRole('button', { name: 'Submit the job' });
  await page.route(
    '**/v1/jobs',
    async (route) => {
      await route.fetch();
      await route.abort();
    },
    { times: 1 },
  );
  await submit.click();
  await page.getByRole('alert').filter({ hasText: 'weir does not answer' }).waitFor();
  await page.getByRole('button', { name: 'Quote again' }).waitFor();
  await submit.click();
  await page.getByRole('heading', { name: 'sent-twice' }).waitFor();
  const { items } = await dashboard.vision.get<{ items: unknown[] }>('/v1/jobs?name=sent-twice');
  expect(items).toHaveLength(1);
  await page.close();
});

test('a pattern without quotes in the YAML is a fault beside the text, which stays', async () => {
  const page = await openAs(dashboard.vision, '/submit');
  await page.getByText('YAML', { exact: true }).click();
  const text = page.getByLabel('Spec as YAML');
  await text.fill('outputs: [*.pt]');
  await page.getByText('needs quotes').waitFor();
  expect(await text.inputValue()).toBe('outputs: [*.pt]');
  await page.close();
});

test('while another order loads, the former answer is not shown as if it were of it', async () => {
  const page = await openAs(dashboard.vision, '/jobs');
  const former = page.locator('[aria-busy="true"]').filter({ has: page.getByRole('link', { name: 'one' }) });
  const answer = Promise.withResolvers<void>();
  await page.route('**/v1/jobs/summaries*sort=name*', async (route) => {
    await answer.promise;
    await route.continue();
  });
  await page.getByRole('link', { name: 'one' }).waitFor();
  await page.getByRole('combobox', { name: 'Order' }).click();
  await page.getByRole('option', { name: 'By name' }).click();
  await former.waitFor();
  answer.resolve();
  await former.waitFor({ state: 'detached' });
  await page.close();
});

test('that nothing is broken is not said while it is not known', async () => {
  const page = await openAs(dashboard.installation.operator, '/');
  await page.route('**/v1/pool/capacity', (route) => route.fulfill({ status: 503, json: {} }));
  // What the page knew already would be shown on.
  await page.reload();
  const broken = page.getByRole('region', { name: 'What is broken now' });
  await broken.getByRole('alert').waitFor();
  expect(await broken.getByText('No job failed').count()).toBe(0);
  // Of one route that fails nobody says that weir is away.
  await page.getByText('Live', { exact: true }).waitFor();
  expect(await page.getByText('What is shown may be old').count()).toBe(0);
  await page.unroute('**/v1/pool/capacity');
  await broken.getByText('No job failed, no machine was missing, no ceiling was passed.').waitFor();

  await page.route('**/v1/shares/report*', (route) => route.fulfill({ status: 503, json: {} }));
  await page.reload();
  await page.getByRole('heading', { name: 'Who holds the compute' }).waitFor();
  await page.getByRole('alert').waitFor();
  await page.close();
});

test('on the first of a month what yesterday’s report has is still told of', async () => {
  const page = await openAs(dashboard.installation.operator, '/');
  const at = new Date().toISOString();
  const notice = { at, tenant: { id: dashboard.vision.tenantId, name: 'vision-lab' }, note: 'A ceiling was passed' };
  await page.route('**/v1/shares?*', async (route) => {
    const json = (await (await route.fetch()).json()) as { window: object };
    await route.fulfill({ json: { ...json, window: { ...json.window, to: '2999-01-01T00:30:00Z' } } });
  });
  await page.route('**/v1/shares/report*', async (route) => {
    const url = route.request().url();
    const isNext = url.includes('2999-01');
    const json = (await (await route.fetch({ url: url.replace('2999-01', at.slice(0, 7)) })).json()) as object;
    await route.fulfill({ json: isNext ? { ...json, month: '2999-01', notices: [] } : { ...json, notices: [notice] } });
  });
  await page.reload();
  await page.getByRole('region', { name: 'What is broken now' }).getByText('A ceiling was passed').waitFor();
  await page.close();
});
