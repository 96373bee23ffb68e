import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSource, root } from '../ratchets/sources.ts';
import { createInstallation, ended, type Client, type Installation } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';
import { launchChromium, openAs, openPage, seriousViolations } from './browser.ts';

/** Kept by CI. */
const screenshots = join(root, 'dist/screenshots');

let installation: Installation;
let browser: Browser;
let context: BrowserContext;
let vision: Client;
let jobId: string;
let runningId: string;

beforeAll(async () => {
  await mkdir(screenshots, { recursive: true });
  installation = await createInstallation({ config: { providers: { local: { cpus: 1 } } } });
  await installation.start();
  vision = await installation.tenant('vision-lab');
  const resources = { cpus: 1, memoryGiB: 0.25, diskGiB: 0.25 };
  await installation.operator.call('PUT', `/v1/tenants/${vision.tenantId}/policy`, {
    weight: 2,
    guaranteed: { cpu: 1 },
  });
  for (const name of ['first', 'second']) {
    const job = await vision.submit({ name, command: 'echo seen', resources, workload: { expectedDuration: '10s' } });
    await vision.until(job.id, ended);
    jobId = job.id;
  }
  await waitFor('the quotes to be compared with what came', async () => {
    const { finishedJobs } = await vision.get<{ finishedJobs: number }>('/v1/quotes/accuracy');
    return finishedJobs === 2;
  });
  const running = await vision.submit({ name: 'running', command: 'sleep 300', resources, maxDuration: '10m' });
  await vision.until(running.id, ['running']);
  runningId = running.id;
  await vision.submit({ name: 'waiting', command: 'true', resources });
  browser = await launchChromium();
  context = await browser.newContext();
});

afterAll(async () => {
  await browser.close();
  await installation.remove();
});

/** Opens an address of the application and waits until it shows what it has. */
async function visit(page: Page, path: string): Promise<void> {
  await page.goto(installation.url + path);
  await page.getByRole('main').getByRole('heading', { level: 1 }).waitFor();
  await page.getByRole('main').getByRole('status', { name: 'Loading' }).first().waitFor({ state: 'detached' });
  // A chart is drawn once its room is measured.
  await page.waitForFunction(() =>
    [...document.querySelectorAll('[class*="_plot_"]')].every((chart) => chart.querySelector('svg') !== null),
  );
}

type Listed = { name: string; path: string };

/** As the dashboard lists them for operators, each with something to show. */
function listedPages(): Listed[] {
  return [...readSource('src/dashboard/pages.ts').matchAll(/^ {4}path: '([^']+)'/gm)]
    .map(([, path = '']) => path)
    .filter((path) => path !== '/tenant')
    .map((path) => ({
      name: path === '/' ? 'overview' : path.slice(1).replace('/:', '-'),
      path: path.replace(':job', jobId).replace(':tenant', vision.tenantId),
    }));
}

test.for(['light', 'dark'] as const)(
  'on every page axe finds nothing serious in the %s theme, nothing goes wrong, and a picture of it is kept',
  async (colorScheme) => {
    const { page, faults } = await openAs(context, installation.operator.key, installation.url, { colorScheme });
    for (const { name, path } of listedPages()) {
      await visit(page, path);
      expect([path, await seriousViolations(page)]).toEqual([path, []]);
      expect([path, await overflowOf(page)]).toEqual([path, 0]);
      await page.screenshot({ path: join(screenshots, `${name}-${colorScheme}.png`), fullPage: true });
    }
    expect(faults).toEqual([]);
    await page.close();
  },
);

function overflowOf(page: Page): Promise<number> {
  return page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - window.innerWidth));
}

test('on a phone no page is wider than the screen', async () => {
  const { page } = await openAs(context, installation.operator.key, installation.url, { width: 390 });
  for (const { path } of listedPages()) {
    await visit(page, path);
    expect([path, await overflowOf(page)]).toEqual([path, 0]);
  }
  await page.close();
});

test('quotes are shown against what came; machines with their cost, and the audit is searched on the server', async () => {
  const { page, faults } = await openAs(context, installation.operator.key, `${installation.url}/quotes`);
  const outcomes = page.getByRole('region', { name: 'Predicted against actual' });
  await outcomes.getByRole('img', { name: 'Predicted against actual duration of 2 finished jobs' }).waitFor();
  await outcomes.getByText('Table').click();
  await outcomes.getByRole('row', { name: /^second cpu / }).waitFor();

  await page.getByRole('link', { name: 'Capacity' }).click();
  await page
    .getByRole('table', { name: 'What each provider has' })
    .getByRole('row', { name: /^local 1 cpu .*0 of 1/ })
    .waitFor();
  await page
    .getByRole('table', { name: 'Machines' })
    .getByRole('row', { name: /local, local ready .*attempt 1/ })
    .waitFor();
  await page.getByText('Gone', { exact: true }).click();
  await page
    .getByRole('row', { name: /local, local gone/ })
    .nth(1)
    .waitFor();

  await page.getByRole('link', { name: 'Audit' }).click();
  const changes = page.getByRole('table', { name: 'Changes' });
  await changes.getByRole('row', { name: /tenant\.create/ }).waitFor();
  await page.getByLabel('Action').fill('policy');
  await changes.getByRole('row', { name: /tenant\.create/ }).waitFor({ state: 'detached' });
  await changes.getByRole('row', { name: /policy\.put operator tnt_.*weight: → 2/ }).waitFor();
  await page.getByLabel('Action').fill('nothing');
  await page.getByText('No entry matches').waitFor();
  expect(faults).toEqual([]);
  await page.close();
});

test('of jobs that ended last and of the statement the newest comes first, and no job that has not ended', async () => {
  const { page } = await openAs(context, vision.key, `${installation.url}/jobs?sort=-finishedAt`);
  const jobs = page.getByRole('table', { name: 'Ended last' }).locator('tbody');
  await jobs.getByRole('row', { name: /^second succeeded/ }).waitFor();
  expect(await jobs.getByRole('rowheader').allTextContents()).toEqual(['second', 'first']);
  await page.getByRole('link', { name: 'Tenant' }).click();
  await page.getByRole('tab', { name: 'Statement' }).click();
  const lines = page.getByRole('table', { name: 'The money ledger, newest first' }).locator('tbody');
  expect(await lines.getByRole('link').first().textContent()).toBe(`…${runningId.slice(-6)}`);
  await page.close();
});

test('a tenant’s user has no page of the operator’s, and sees how its own quotes did', async () => {
  const { page, faults } = await openAs(context, vision.key, `${installation.url}/jobs`);
  await page.getByRole('link', { name: 'Quotes' }).click();
  expect(await page.getByRole('link', { name: /^(Capacity|Audit)$/ }).count()).toBe(0);
  await page.getByRole('img', { name: 'Predicted against actual duration of 2 finished jobs' }).waitFor();
  expect(faults).toEqual([]);
  await page.close();
});

test('the API’s reference is drawn under its policy, which lets no other program run', async () => {
  const { page, faults } = await openPage(context);
  const answer = await page.goto(`${installation.url}/docs`);
  expect(answer?.headers()['content-security-policy']).toMatch(/script-src 'self'( 'sha256-[^']+')+;/);
  await page.getByRole('heading', { level: 1, name: 'weir' }).waitFor();
  expect(faults).toEqual([]);
  await page.screenshot({ path: join(screenshots, 'docs-light.png') });
  await page.close();
});
