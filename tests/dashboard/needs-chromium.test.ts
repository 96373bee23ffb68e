import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createInstallation, type Client, type Installation } from '../support/service.ts';
import { launchChromium, openPage, seriousViolations, signIn } from './browser.ts';

/** Runs longer than the tests take; no job can see anything of them that would tell it to go on. */
const command = "echo 'weir progress 1/4 steps'; sleep 120";

let installation: Installation;
let browser: Browser;
let vision: Client;
let language: Client;

beforeAll(async () => {
  installation = await createInstallation({ config: { providers: { local: { cpus: 1 } } } });
  await installation.start();
  vision = await installation.tenant('vision-lab');
  language = await installation.tenant('language-lab');
  const { id } = await vision.submit({ name: 'watched', command, resources: small, maxDuration: '5m' });
  await vision.until(id, ['running']);
  await language.submit({ name: 'waiting', command: 'true', resources: small });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser.close();
  await installation.remove();
});

const small = { cpus: 1, memoryGiB: 0.25, diskGiB: 0.25 };

test('an unknown key is refused with the reason; a good one opens the overview, and is gone after signing out', async () => {
  const { page, faults } = await openPage(browser);
  await signIn(page, installation.url, 'weir_unknown');
  await page.getByRole('alert').filter({ hasText: 'This key is not known' }).waitFor();
  // The browser itself notes each answer that is no success.
  expect(faults.splice(0)).toEqual([expect.stringContaining('401')]);
  await signIn(page, installation.url, installation.operator.key);
  await page.getByRole('heading', { name: 'Who holds the compute' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(await page.evaluate(() => [sessionStorage.length, document.cookie])).toEqual([0, '']);
  expect(faults).toEqual([]);
  await page.close();
});

test('the overview shows who holds the compute, what runs with its progress, and why another job waits', async () => {
  const { page, faults } = await openPage(browser);
  await signIn(page, installation.url, installation.operator.key);
  await page
    .getByRole('table', { name: 'Share of the compute' })
    .getByRole('row', { name: /vision-lab 100\.0 % none/ })
    .waitFor();
  await page
    .getByRole('table', { name: 'Jobs that have a machine' })
    .getByRole('row')
    .filter({ hasText: /watched.*running.*25 % · 1 of 4 steps/ })
    .waitFor();
  await page
    .getByRole('table', { name: '1 job waits' })
    .getByRole('row', { name: /1 waiting .*does not have 1 cores/ })
    .waitFor();
  expect(faults).toEqual([]);
  await page.close();
});

test.for(['light', 'dark'] as const)(
  'axe finds nothing serious in the %s theme, wide or narrow',
  async (colorScheme) => {
    for (const width of [1280, 390]) {
      const { page } = await openPage(browser, { colorScheme, width });
      await page.goto(installation.url);
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      await signIn(page, installation.url, installation.operator.key);
      await page.getByRole('table', { name: '1 job waits' }).waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow).toBeLessThanOrEqual(0);
      await page.close();
    }
  },
);
