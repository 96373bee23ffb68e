import axe from 'axe-core';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

/** A page that notes what goes wrong in it. */
export type WatchedPage = { page: Page; faults: string[] };

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--headless'] });
}

type Looks = { colorScheme?: 'light' | 'dark'; width?: number };

/** The pages of one context share its cookies, and what it has loaded and compiled. */
export async function openPage(
  context: BrowserContext,
  { colorScheme = 'light', width = 1280 }: Looks = {},
): Promise<WatchedPage> {
  const page = await context.newPage();
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width, height: 900 });
  // On a machine that has ten other things to do.
  page.setDefaultTimeout(120_000);
  const faults: string[] = [];
  page.on('console', (message) => {
    // Who is not signed in yet asks who they are, and the browser notes the 401.
    const isQuestion = message.location().url.endsWith('/v1/me');
    if (['error', 'warning'].includes(message.type()) && !isQuestion) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  return { page, faults };
}

/** A page at this address of somebody who has a session already. */
export async function openAs(context: BrowserContext, key: string, url: string, looks?: Looks): Promise<WatchedPage> {
  const watched = await openPage(context, looks);
  await context.request.post(new URL('/v1/session', url).href, { data: { key }, failOnStatusCode: true });
  await watched.page.goto(url);
  return watched;
}

export async function signIn(page: Page, url: string, key: string): Promise<void> {
  await page.goto(url);
  await page.getByLabel('Key', { exact: true }).fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Opens an address within the application, as a link of it does. */
export async function visit(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => history.pushState(null, '', to), path);
}

/** Axe comes once for each document; the page's own policy lets only the test bring it. */
export async function seriousViolations(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (window as unknown as { axe: typeof axe }).axe.run({ resultTypes: ['violations'] }),
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}
