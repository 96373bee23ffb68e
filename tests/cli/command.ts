import { test as base, vi } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { createCommand, installCommand, type Installed, type Weir } from '../support/installed-command.ts';
import { createInstallation, type Client, type Installation } from '../support/service.ts';

// The first test of a file waits for the service and for npm as well.
vi.setConfig({ testTimeout: 180_000 });

type Fixtures = { installed: Installed; installation: Installation; vision: Client; weir: Weir; operator: Weir };

/** vitest's `test` with a running service, a tenant called vision, and the command with its admin's key and the operator's. */
export const test = base.extend<Fixtures>({
  installed: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const installed = await installCommand();
      await use(installed);
      await installed.remove();
    },
    { scope: 'file' },
  ],
  installation: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const database = await createDatabase();
      const installation = await createInstallation({ databaseUrl: database.url });
      await installation.start();
      await use(installation);
      await installation.remove();
      await database.drop();
    },
    { scope: 'file' },
  ],
  vision: [async ({ installation }, use) => use(await installation.tenant('vision')), { scope: 'file' }],
  weir: async ({ installed, installation: { url }, vision: { key } }, use) => {
    const weir = await createCommand(installed, { WEIR_URL: url, WEIR_KEY: key });
    await use(weir);
    await weir.remove();
  },
  operator: async ({ installed, installation: { url, operator }, vision: _vision }, use) => {
    const weir = await createCommand(installed, { WEIR_URL: url, WEIR_KEY: operator.key });
    await use(weir);
    await weir.remove();
  },
});
