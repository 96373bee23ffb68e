import { readFile } from 'node:fs/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Job } from '../../src/protocol/job.ts';
import type { Policy } from '../../src/protocol/tenant.ts';
import { openIdentityProvider, type IdentityProvider } from '../support/identity-provider.ts';
import { createInstallation, type Client, type Installation } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';
import { launchChromium, openAs, openPage, seriousViolations, signIn, visit } from './browser.ts';

const small = { cpus: 1, memoryGiB: 0.25, diskGiB: 0.25 };

/** Tells its progress and a metric, keeps files, and takes as long as it takes to look. */
const training = `mkdir out; echo '<b>first</b> line'; echo 'to stderr' >&2
for i in 1 2 3 4; do echo "weir progress $i/4 steps"; echo "{\\"loss\\":$((5 - i))}"; sleep 1; done
printf 'step,loss\\n1,4\\n2,3\\n3,1\\n' > out/history.csv; echo 'last line'`;

let provider: IdentityProvider;
let installation: Installation;
let browser: Browser;
let context: BrowserContext;
let vision: Client;
let language: Client;
let blocked: Job;

beforeAll(async () => {
  provider = await openIdentityProvider({
    vera: { email: 'vera@example.org', email_verified: true, groups: ['vision-team'] },
    nora: { email: 'nora@example.org', groups: [] },
  });
  const rules = [{ claim: 'groups', value: 'vision-team', role: 'member', tenant: 'vision-lab' }];
  installation = await createInstallation({
    config: { providers: { local: { cpus: 2 } }, signIn: { oidc: { ...provider.oidc, rules } } },
  });
  provider.serve(installation.url);
  await installation.start();
  vision = await installation.tenant('vision-lab');
  language = await installation.tenant('language-lab');
  await put(language, { caps: { accelerators: { cpu: 1 } } });
  const holder = await language.submit({ name: 'holder', command: 'sleep 300', resources: small, maxDuration: '10m' });
  await language.until(holder.id, ['running']);
  blocked = await language.submit({ name: 'blocked', command: 'true', resources: small });
  browser = await launchChromium();
  context = await browser.newContext();
});

afterAll(async () => {
  await browser.close();
  await installation.remove();
  provider.close();
});

async function put({ tenantId }: Client, policy: Policy): Promise<void> {
  const { status } = await installation.operator.call('PUT', `/v1/tenants/${tenantId}/policy`, policy);
  expect(status).toBe(200);
}

test('an unknown key is refused with the reason; a good one opens a session that no script can read, until signing out', async () => {
  const { page, faults } = await openPage(context);
  await signIn(page, installation.url, 'weir_unknown');
  await page.getByRole('alert').filter({ hasText: 'This key is not known' }).waitFor();
  // The browser itself notes each answer that is no success.
  expect(faults.splice(0)).toEqual([expect.stringContaining('401')]);
  await signIn(page, installation.url, installation.operator.key);
  await page.getByRole('heading', { name: 'Who holds the compute' }).waitFor();
  expect(await page.evaluate(() => [sessionStorage.length, document.cookie])).toEqual([0, '']);
  await page.reload();
  await page.getByRole('heading', { name: 'Who holds the compute' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(faults).toEqual([]);
  await page.close();
});

test('a job is submitted by the form: faults at their fields, the quote before, and what was typed stays', async () => {
  const { page, faults } = await openAs(context, vision.key, `${installation.url}/submit`);
  await page.getByLabel('Command').fill(training);
  await page.getByLabel('Expected duration').fill('soon');
  await page.getByRole('button', { name: 'Quote' }).click();
  await expectFault(page, /^Name/, /required/);
  await expectFault(page, /^Expected duration/, /such as/i);
  expect(faults.splice(0)).toEqual([expect.stringContaining('400')]);

  await page.getByLabel('Name').fill('from-the-form');
  await page.getByLabel('Expected duration').fill('5s');
  for (const [field, value] of [
    ['Cores', '1'],
    ['Memory', '0.25'],
    ['Disk', '0.25'],
    ['Outputs', 'out/'],
  ] as const)
    await page.getByLabel(field, { exact: true }).fill(value);
  // Somebody looks at another page first.
  await page.getByRole('link', { name: 'Jobs', exact: true }).click();
  await page.getByRole('link', { name: 'Submit' }).click();
  await page.getByRole('button', { name: 'Quote' }).click();
  await page.getByRole('table', { name: 'Where it can run' }).getByRole('radio', { checked: true }).waitFor();
  await page.getByRole('button', { name: 'Submit the job' }).click();
  await page.getByRole('heading', { name: 'from-the-form' }).waitFor();
  await watch(page);
  expect(faults).toEqual([]);
  await page.close();
});

async function expectFault(page: Page, label: RegExp, text: RegExp): Promise<void> {
  const field = page.getByLabel(label);
  await waitFor(`a fault of ${label.source}`, async () => (await field.getAttribute('aria-invalid')) === 'true');
  const described = ((await field.getAttribute('aria-describedby')) ?? '').split(' ').filter((id) => id !== '');
  const said = await Promise.all(described.map((id) => page.locator(`[id="${id}"]`).textContent()));
  expect(said.join(' ')).toMatch(text);
}

/** To the job's end: its log as it comes, its progress and metrics, its cost against the quote, and its files. */
async function watch(page: Page): Promise<void> {
  const log = page.getByRole('log');
  await log.getByText('<b>first</b> line').waitFor();
  await log.getByText('stderr to stderr').waitFor();
  await page.getByRole('heading', { name: 'from-the-form succeeded' }).waitFor();
  await page.getByText('The log is complete.').waitFor();
  await log.getByText('last line').waitFor();
  await page.getByRole('region', { name: 'loss' }).getByRole('img', { name: 'loss over time, last 1' }).waitFor();
  await page.getByRole('region', { name: 'Progress' }).getByText('all 4 steps').waitFor();
  await page.getByRole('figure', { name: 'How long' }).getByText('running for').waitFor({ state: 'attached' });
  await page.getByRole('row', { name: /^Cost \$.* range$/ }).waitFor();
  await page.getByLabel('Search the log').fill('LAST');
  await page.getByText(/^1 of \d+ lines$/).waitFor();
  await page.getByRole('button', { name: 'Look at out/history.csv' }).click();
  await page.getByRole('img', { name: 'loss over step' }).waitFor();
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'out/history.csv' }).click(),
  ]);
  expect(await readFile(await file.path(), 'utf8')).toBe('step,loss\n1,4\n2,3\n3,1\n');
}

test('a blocked job says what it waits for, what would let it start, and who goes before it', async () => {
  const { page, faults } = await openAs(context, installation.operator.key, installation.url);
  await page
    .getByRole('table', { name: '1 job waits' })
    .getByRole('row', { name: /1 blocked .*at 1 of 1 cores?/ })
    .waitFor();
  await page.getByRole('link', { name: 'Queue' }).click();
  await page
    .getByRole('table', { name: 'Tenants whose jobs wait' })
    .getByRole('row', { name: /1 language-lab 1/ })
    .waitFor();
  await page
    .getByRole('table', { name: 'Jobs that wait' })
    .getByRole('row', { name: /1 blocked.*at 1 of 1 cores?/ })
    .waitFor();
  await page.getByRole('link', { name: 'blocked' }).press('Enter');
  const why = page.getByRole('region', { name: 'Why it waits' });
  await why.getByText(/The tenant is at 1 of 1 cores?/).waitFor();
  await why.getByText(/Until: .* or an operator raises caps.accelerators/).waitFor();
  await why.getByRole('link', { name: /^job …/ }).click();
  await page.getByRole('heading', { name: 'holder running' }).waitFor();
  expect(faults).toEqual([]);
  await page.close();
});

test('an operator changes a policy after seeing what the last week would have been under it', async () => {
  const { page, faults } = await openAs(context, installation.operator.key, `${installation.url}/tenants`);
  await page.getByRole('link', { name: 'vision-lab' }).click();
  await page.getByRole('tab', { name: 'Policy' }).click();
  await page.getByLabel('Weight').fill('3');
  await page.getByLabel('Monthly budget').fill('25');
  const save = page.getByRole('button', { name: 'Save the policy' });
  expect(await save.isDisabled()).toBe(true);
  await page.getByRole('button', { name: 'Preview last week' }).click();
  await page.getByRole('row', { name: /^Concentration \(HHI\) \d/ }).waitFor();
  await page.getByRole('row', { name: /^vision-lab: share \d/ }).waitFor();
  await save.click();
  await page.getByText('Saved.').waitFor();
  expect(await installation.operator.get(`/v1/tenants/${vision.tenantId}/policy`)).toEqual({
    weight: 3,
    budget: { monthlyUsd: 25 },
  });
  await page.getByLabel('Weight').fill('0');
  await page.getByRole('button', { name: 'Preview last week' }).click();
  await expectFault(page, /^Weight/, /./);
  expect(faults.splice(0)).toEqual([expect.stringContaining('400')]);

  await page.getByLabel('Weight').fill('3');
  await page.getByRole('button', { name: 'Add a kind of accelerator' }).click();
  await page.getByLabel('Guaranteed').fill('1.5');
  await expectFault(page, /^Kind/, /Name the kind/);
  await page.getByRole('textbox', { name: 'Kind' }).fill('L4');
  await page.getByLabel('At most').fill('-2');
  await page.getByRole('button', { name: 'Preview last week' }).click();
  await expectFault(page, /^Guaranteed/, /whole number, not 1.5/);
  await expectFault(page, /^At most/, /at least 0; it is -2/);
  expect([await page.getByLabel('Guaranteed').inputValue(), await page.getByLabel('At most').inputValue()]).toEqual([
    '1.5',
    '-2',
  ]);
  expect(faults).toEqual([expect.stringContaining('400')]);
  await page.close();
});

test('a tenant sees its own jobs and its place in the pool, and not the other’s', async () => {
  const { page, faults } = await openAs(context, vision.key, installation.url);
  await page.getByRole('heading', { name: 'Who holds the compute' }).waitFor();
  expect(await page.getByText(/language-lab|^holder$/).count()).toBe(0);
  expect(await page.getByRole('link', { name: 'Tenants' }).count()).toBe(0);
  await page.getByRole('link', { name: 'Tenant' }).click();
  await page.getByRole('heading', { name: 'vision-lab' }).waitFor();
  expect(faults).toEqual([]);
  await visit(page, `/jobs/${blocked.id}`);
  await page
    .getByRole('alert')
    .filter({ hasText: `There is no job ${blocked.id}` })
    .waitFor();
  await page.close();
});

test('nothing is followed while nobody looks, and what was shown stays while weir is away', async () => {
  const { page } = await openAs(context, vision.key, installation.url);
  const isOfChanges = (request: { url: () => string }) => request.url().endsWith('/v1/changes');
  await page.getByRole('heading', { name: 'Who holds the compute' }).waitFor();
  await Promise.all([page.waitForEvent('requestfailed', isOfChanges), look(page, 'hidden')]);
  await Promise.all([page.waitForRequest(isOfChanges), look(page, 'visible')]);
  await page.context().setOffline(true);
  await look(page, 'hidden');
  await look(page, 'visible');
  await page.getByText('weir does not answer. What is shown may be old.').waitFor();
  await page.getByRole('heading', { name: 'Who holds the compute' }).waitFor();
  await page.context().setOffline(false);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.close();
});

/** As when another tab comes before it, or goes. */
async function look(page: Page, visibility: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { value: value === 'hidden', configurable: true });
    Object.defineProperty(document, 'visibilityState', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  }, visibility);
}

test('the keyboard opens pages, shows its keys, and finds the search', async () => {
  const { page, faults } = await openAs(context, vision.key, `${installation.url}/queue`);
  await page.getByRole('heading', { name: 'Queue', exact: true }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('j');
  await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('no such');
  await page.getByText('No such job').waitFor();
  await page.keyboard.press('Tab');
  await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  expect(faults).toEqual([]);
  await page.close();
});

test('a person signs in with the identity provider, as whom its rule makes it, and out again', async () => {
  await context.clearCookies();
  const { page, faults } = await openPage(context);
  provider.letIn('vera');
  await page.goto(`${installation.url}/jobs?q=nothing`);
  await page.getByRole('link', { name: 'Sign in with Example' }).click();
  await page.getByText('No such job').waitFor();
  await page.getByText('vera@example.org').waitFor();
  await page.getByRole('link', { name: 'Tenant' }).click();
  await page.getByRole('heading', { name: 'vision-lab' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  provider.letIn('nora');
  await page.context().clearCookies();
  await page.getByRole('link', { name: 'Sign in with Example' }).click();
  await page.getByRole('alert').filter({ hasText: 'Your account has no role here' }).waitFor();
  expect(page.url()).toBe(`${installation.url}/`);
  expect(faults).toEqual([]);
  await page.close();
});

test.for(['light', 'dark'] as const)(
  'axe finds nothing serious in the %s theme where the other pages’ test does not come: signing in, and why a job waits',
  async (colorScheme) => {
    await context.clearCookies();
    const { page: door } = await openPage(context, { colorScheme });
    await door.goto(installation.url);
    await door.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await seriousViolations(door)).toEqual([]);
    await door.close();
    const { key } = installation.operator;
    const { page, faults } = await openAs(context, key, `${installation.url}/jobs/${blocked.id}`, { colorScheme });
    await page.getByRole('heading', { name: 'Why it waits', exact: true }).waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    expect(faults).toEqual([]);
    await page.close();
  },
);
