import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { createInstallation, type Client, type Installation } from '../support/service.ts';
import { launchChromium, openAs } from './browser.ts';

/** What a job of these tests takes, so that several run at once. */
export const resources = { cpus: 1, memoryGiB: 0.25, diskGiB: 0.25 };

/** For all tests of a file: a service on one core with a tenant, and a browser. To be used within tests only. */
export function useDashboard() {
  let installation: Installation;
  let browser: Browser;
  let context: BrowserContext;
  let vision: Client;
  beforeAll(async () => {
    installation = await createInstallation({ config: { providers: { local: { cpus: 1 } } } });
    await installation.start();
    vision = await installation.tenant('vision-lab');
    browser = await launchChromium();
    context = await browser.newContext();
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
    openAs: async ({ key }: Pick<Client, 'key'>, path: string, url = installation.url): Promise<Page> =>
      (await openAs(context, key, url + path)).page,
  };
}
