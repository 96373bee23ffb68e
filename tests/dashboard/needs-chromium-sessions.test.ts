import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { seriousViolations } from './browser.ts';
import { resources, useDashboard } from './use-dashboard.ts';

const dashboard = useDashboard();
const { openAs } = dashboard;

test('where no job ran in the last week, a policy is saved without its preview', async () => {
  const page = await openPolicy();
  await page.getByLabel('Monthly budget').fill('100');
  for (const [kind, most] of [
    ['cpu', '8'],
    ['L4', '2'],
  ] as const) {
    await page.getByRole('button', { name: 'Add a kind of accelerator' }).click();
    await page.getByRole('textbox', { name: 'Kind' }).last().fill(kind);
    await page.getByLabel('At most').last().fill(most);
  }
  const save = page.getByRole('button', { name: 'Save the policy' });
  expect(await save.isDisabled()).toBe(true);
  await page.getByRole('button', { name: 'Preview last week' }).click();
  await page.getByRole('alert').filter({ hasText: 'No job was queued' }).waitFor();
  await save.click();
  // The database stores the kinds in another order than they were typed in.
  await page.getByText('Saved.').waitFor();
  expect(await page.getByText('Somebody else').count()).toBe(0);
  await page.close();
});

async function openPolicy(): Promise<Page> {
  const page = await openAs(dashboard.installation.operator, `/tenants/${dashboard.vision.tenantId}`);
  await page.getByRole('tab', { name: 'Policy' }).click();
  await page.getByLabel('Weight').waitFor();
  return page;
}

test('when a session ends, who typed a policy is told why, and finds it again after signing in', async () => {
  const page = await openPolicy();
  await page.getByLabel('Weight').fill('7');
  await page.getByRole('tab', { name: 'Statement' }).click();
  await page.getByRole('tab', { name: 'Policy' }).click();
  expect(await page.getByLabel('Weight').inputValue()).toBe('7');
  const { url, operator } = dashboard.installation;
  await page.request.delete(`${url}/v1/session`, { headers: { origin: url }, failOnStatusCode: true });
  await page.getByRole('alert').filter({ hasText: 'Your session has ended. Sign in again.' }).waitFor();
  await page.getByLabel('Key', { exact: true }).fill(operator.key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('tab', { name: 'Policy' }).click();
  expect(await page.getByLabel('Weight').inputValue()).toBe('7');
  await page.getByRole('button', { name: 'Undo' }).click();
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  await page.close();
});

test('an array’s page counts its tasks by state, lists them by state, and leads to each', async () => {
  const values = [{ SEED: 1 }, { SEED: 2 }, { SEED: 3 }];
  const command = 'test "$SEED" != 2';
  const array = await dashboard.vision.submit({
    name: 'seeds',
    command,
    resources,
    array: { values },
    maxDuration: '5m',
  });
  const page = await openAs(dashboard.vision, `/jobs/${array.id}`);
  const tasks = page.getByRole('region', { name: 'Tasks' });
  await tasks.getByText('3 in all: 2 succeeded, 1 failed.').waitFor();
  await tasks.getByRole('row', { name: /^task 0 succeeded SEED=1/ }).waitFor();
  expect(await page.getByRole('heading', { name: /^(Log|Attempts|Quote against actual)$/ }).count()).toBe(0);
  expect(await seriousViolations(page)).toEqual([]);
  await tasks.getByRole('combobox', { name: 'State of the tasks' }).click();
  await page.getByRole('option', { name: 'failed (1)' }).click();
  await tasks.getByRole('row', { name: /^task 0/ }).waitFor({ state: 'detached' });
  await tasks.getByRole('link', { name: 'task 1' }).click();
  await page.getByText('task 1 of its array').waitFor();
  await page.getByRole('heading', { name: 'Log' }).waitFor();
  await page.close();
});

test('after an answer that ended the stream of changes it is opened again, and nothing is called live meanwhile', async () => {
  const page = await openAs(dashboard.vision, '/');
  await page.getByText('Live', { exact: true }).waitFor();
  let isRefused = true;
  await page.route('**/v1/changes', (route) => (isRefused ? route.fulfill({ status: 503 }) : route.continue()));
  await page.reload();
  await page.getByText('Changes are not told.').waitFor();
  expect(await page.getByText('Live', { exact: true }).count()).toBe(0);
  isRefused = false;
  await page.getByText('Live', { exact: true }).waitFor();
  await page.close();
});

test('an operator goes from one tenant’s queue to another’s, also where none of its jobs waits', async () => {
  const page = await openAs(dashboard.installation.operator, '/queue');
  const choice = page.getByRole('combobox', { name: 'Whose queue' });
  await choice.click();
  await page.getByRole('option', { name: 'vision-lab' }).click();
  await page.getByText('Nothing waits').waitFor();
  expect(await choice.inputValue()).toBe('vision-lab');
  await page.close();
});

test('who could not be signed out is told so; with the session goes what was typed', async () => {
  const page = await openAs(dashboard.vision, '/submit');
  await page.getByRole('textbox', { name: 'Name' }).fill('secret-plan');
  await page.route('**/v1/session', (route) => route.abort(), { times: 1 });
  const out = page.getByRole('button', { name: 'Sign out' });
  await out.click();
  await page.getByRole('alert').filter({ hasText: 'You are still signed in.' }).waitFor();
  expect(await page.evaluate(() => sessionStorage.getItem('weir.submit'))).toContain('secret-plan');
  await out.click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  await page.close();
});

test('a job is cancelled once that is confirmed', async () => {
  const { id } = await dashboard.vision.submit({ name: 'long', command: 'sleep 300', resources, maxDuration: '10m' });
  await dashboard.vision.until(id, ['running']);
  const page = await openAs(dashboard.vision, `/jobs/${id}`);
  await page.getByRole('button', { name: 'Cancel the job' }).click();
  await page.getByRole('dialog', { name: 'Cancel long?' }).getByRole('button', { name: 'Keep it' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await dashboard.vision.get(`/v1/jobs/${id}`)).toMatchObject({ state: 'running' });
  await page.getByRole('button', { name: 'Cancel the job' }).click();
  await page.getByRole('button', { name: 'Cancel it' }).click();
  await page.getByRole('heading', { name: 'long cancelled' }).waitFor();
  await page.close();
});

test('a viewer has no page to submit jobs', async () => {
  const page = await openAs(await dashboard.installation.tenant('watchers', 'viewer'), '/submit');
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
  expect(await page.getByRole('link', { name: 'Submit' }).count()).toBe(0);
  await page.close();
});
