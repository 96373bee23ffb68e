import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { createInstallation, type Client, type Installation } from '../support/service.ts';
import { launchChromium, openPage, signIn, visit } from './browser.ts';

/** What a job of these tests takes, so that several run at once. */
export const resources = { cpus: 1, memoryGiB: 0.25, diskGiB: 0.25 };

/** For all tests of a file: a service on one core with a tenant, and a browser. To be used within tests only. */
export function useDashboard() {
  let installation: Installation;
  let browser: Browser;
  let vision: Client;
  beforeAll(async () => {
    installation = await createInstallation({ config: { providers: { local: { cpus: 1 } } } });
    await installation.start();
    vision = await installation.tenant('vision-lab');
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await installation.remove();
  });
  return {
    get installation() {
      return installation;
    },
    get vision() {
      return vision;
    },
    /** A page of somebody who has signed in. */
    openAs: async ({ key }: Pick<Client, 'key'>, path: string): Promise<Page> => {
      const { page } = await openPage(browser);
      await signIn(page, installation.url, key);
      await page.getByRole('heading', { name: 'Who holds the compute' }).waitFor();
      await visit(page, path);
      return page;
    },
  };
}
