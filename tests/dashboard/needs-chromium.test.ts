import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Job } from '../../src/protocol/job.ts';
import { createInstallation, ended, type Client, type Installation } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';
import { launchChromium, openPage, seriousViolations, signIn } from './browser.ts';

/** Runs long enough to be looked at; no job can see anything of the test that would tell it to go on. */
const command = `mkdir out; echo 'weir progress 1/4 steps'; echo '<b>first</b> line'; echo 'to stderr' >&2; sleep 15
echo 'weir progress 4/4 steps'; echo 'last line'; echo '{"loss":0.1}' > out/metrics.json`;

let installation: Installation;
let browser: Browser;
let vision: Client;
let language: Client;

beforeAll(async () => {
  installation = await createInstallation({ config: { providers: { local: { cpus: 1 } } } });
  await installation.start();
  vision = await installation.tenant('vision-lab');
  language = await installation.tenant('language-lab');
  browser = await launchChromium();
});

afterAll(async () => {
  await browser.close();
  await installation.remove();
});

const small = { cpus: 1, memoryGiB: 0.25, diskGiB: 0.25 };

function submitLong(client: Client, name: string): Promise<Job> {
  return client.submit({ name, command, outputs: ['out/'], resources: small, maxDuration: '5m' });
}

test('an unknown key is refused with the reason; a good one opens the overview, and is gone after signing out', async () => {
  const { page, faults } = await openPage(browser);
  await signIn(page, installation.url, 'weir_unknown');
  await page.getByRole('alert').filter({ hasText: 'This key is not known' }).waitFor();
  // The browser itself notes each answer that is no success.
  expect(faults.splice(0)).toEqual([expect.stringContaining('401')]);
  await signIn(page, installation.url, installation.operator.key);
  await page.getByRole('heading', { name: 'Who holds the compute' }).waitFor();
  const kept = () => page.evaluate(() => [sessionStorage.length, localStorage.length, document.cookie]);
  expect(await kept()).toEqual([1, 0, '']);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(await kept()).toEqual([0, 0, '']);
  expect(faults).toEqual([]);
  await page.close();
});

test('an operator watches a job run to its end with its log, sees why another waits, and gets its files', async () => {
  const { page, faults } = await openPage(browser);
  const watched = await submitLong(vision, 'watched');
  await vision.until(watched.id, ['running']);
  const waiting = await language.submit({ name: 'waiting', command: 'true', resources: small });
  await signIn(page, installation.url, installation.operator.key);

  const queue = page.getByRole('table', { name: 'Jobs that wait' });
  await queue.getByRole('row', { name: /1 waiting language-lab .*does not have 1 cores/ }).waitFor();
  const running = page.getByRole('table', { name: 'Jobs that have a machine' });
  await running
    .getByRole('row')
    .filter({ hasText: /watched.*vision-lab.*running.*25 % · 1 of 4 steps/ })
    .waitFor();
  await page
    .getByRole('table', { name: 'Share of the compute' })
    .getByRole('row', { name: /vision-lab 100\.0 % none/ })
    .waitFor();

  await running.getByRole('link', { name: 'watched' }).press('Enter');
  await page.getByRole('heading', { name: 'watched running' }).waitFor();
  const log = page.getByRole('log');
  await log.getByText('<b>first</b> line').waitFor();
  await log.getByText('stderr to stderr').waitFor();
  await log.getByText('last line').waitFor();
  await page.getByText('The log is complete.').waitFor();
  await page.getByRole('heading', { name: 'watched succeeded' }).waitFor();
  const timeline = page.getByRole('region', { name: 'Timeline' });
  for (const state of ['queued', 'provisioning', 'running', 'stopping', 'succeeded'])
    await timeline.getByText(state, { exact: true }).waitFor();
  await page
    .getByRole('table', { name: 'between p10 and p90' })
    .getByRole('row', { name: /^Cost \$.* range$/ })
    .waitFor();
  const lines = await log.getByRole('listitem').allTextContents();
  expect(lines.filter((line) => line === 'last line')).toHaveLength(1);

  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'out/metrics.json' }).click(),
  ]);
  expect(await readFile(await file.path(), 'utf8')).toBe('{"loss":0.1}\n');

  await language.until(waiting.id, ended);
  await page.getByRole('link', { name: '← Overview' }).click();
  await page
    .getByRole('table', { name: 'jobs that ended' })
    .getByRole('row', { name: /watched vision-lab succeeded/ })
    .waitFor();
  await page.getByText('Nothing waits').waitFor();
  await page.getByText('All time').click();
  await page.getByRole('table', { name: 'since the beginning' }).waitFor();
  expect(faults).toEqual([]);
  await page.close();
});

test('the log goes on where it was when the connection breaks', async () => {
  const { page } = await openPage(browser);
  const { id } = await submitLong(vision, 'broken-connection');
  await vision.until(id, ['running']);
  await signIn(page, installation.url, vision.key);
  await page.getByRole('link', { name: 'broken-connection' }).click();
  const log = page.getByRole('log');
  await log.getByText('<b>first</b> line').waitFor();
  await page.context().setOffline(true);
  await page.getByText('weir does not answer').waitFor();
  await vision.until(id, ended);
  await page.context().setOffline(false);
  await page.getByText('The log is complete.').waitFor();
  const lines = await log.getByRole('listitem').allTextContents();
  expect(lines.filter((line) => line.endsWith('line'))).toEqual(['<b>first</b> line', 'last line']);
  await page.close();
});

test('a tenant sees its own jobs, and not the other’s', async () => {
  const { page, faults } = await openPage(browser);
  const own = await vision.submit({ name: 'own', command: 'true', resources: small });
  const other = await language.submit({ name: 'other', command: 'true', resources: small });
  await vision.until(own.id, ended);
  await language.until(other.id, ended);
  await signIn(page, installation.url, vision.key);
  await page.getByRole('heading', { name: 'Overview of vision-lab' }).waitFor();
  await page.getByRole('link', { name: 'own' }).waitFor();
  expect(await page.getByText(/language-lab|^other$/).count()).toBe(0);
  expect(faults).toEqual([]);
  await page.goto(`${installation.url}/#/jobs/${other.id}`);
  await page
    .getByRole('status')
    .filter({ hasText: `There is no job ${other.id}` })
    .waitFor();
  await page.close();
});

test('nothing is asked for while nobody looks', async () => {
  const { page } = await openPage(browser);
  await signIn(page, installation.url, vision.key);
  await page.getByRole('heading', { name: 'Who holds the compute' }).waitFor();
  let requests = 0;
  page.on('request', () => (requests += 1));
  await waitFor('the page to ask again', () => requests > 0);
  await page.evaluate(() => Object.defineProperty(document, 'hidden', { value: true, configurable: true }));
  // What was under way ends, then two whole periods pass.
  await page.waitForTimeout(1000);
  requests = 0;
  await page.waitForTimeout(4500);
  expect(requests).toBe(0);
  await page.evaluate(() => Object.defineProperty(document, 'hidden', { value: false }));
  await waitFor('the page to ask again', () => requests > 0);
  await page.close();
});

test.for(['light', 'dark'] as const)(
  'axe finds nothing serious in the %s theme, wide or narrow',
  async (colorScheme) => {
    const job = await vision.submit({ name: 'looked-at', command: 'echo seen', resources: small });
    await vision.until(job.id, ended);
    for (const width of [1280, 390]) {
      const { page } = await openPage(browser, { colorScheme, width });
      await page.goto(installation.url);
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      await signIn(page, installation.url, installation.operator.key);
      await page.getByRole('table', { name: 'jobs that ended' }).waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      await page.goto(`${installation.url}/#/jobs/${job.id}`);
      await page.getByText('The log is complete.').waitFor();
      await page.getByRole('table', { name: 'Each machine' }).waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow).toBeLessThanOrEqual(0);
      await page.close();
    }
  },
);
