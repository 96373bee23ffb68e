import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config.ts';
import { newId } from '../../src/core/ids.ts';
import { insertJobs } from '../../src/jobs/store.ts';
import { startService } from '../../src/main.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { asText } from '../../src/quotes/store.ts';
import { sampleQuote } from '../support/app.ts';
import { freePort } from '../support/free-port.ts';
import { waitFor } from '../support/wait.ts';
import { createScriptedProvider } from './scripted-provider.ts';
import { addTenant, test } from './world.ts';

function jobOn(provider: string, tenantId: string) {
  const quote = sampleQuote(newId('quote'));
  const options = quote.options.map((option) => ({ ...option, offer: { ...option.offer, provider } }));
  const spec = { name: 'job', command: 'true' };
  const id = newId('job');
  return { id, tenantId, spec, quote: asText({ ...quote, options }), isNewQuote: true, options, at: new Date() };
}

test('a machine that is this one is there at once, however many a cloud is slow to make', async ({ world, db }) => {
  const [cloud, here] = [createScriptedProvider(), createScriptedProvider()];
  let hanging = 0;
  let letGo = (): void => undefined;
  const isOver = new Promise<undefined>((resolve) => (letGo = () => resolve(undefined)));
  const slow: Provider = {
    ...cloud,
    create: () => {
      hanging += 1;
      return isOver;
    },
  };
  const dataDir = await mkdtemp(join(tmpdir(), 'weir-lanes-'));
  const env = { WEIR_DATA_DIR: dataDir, WEIR_PORT: String(await freePort()), DATABASE_URL: db.url };
  const service = await startService(loadConfig(env), 'worker', () => undefined, {
    makeProviders: async () => [slow, { ...here, name: 'here', host: 'this' }],
  });
  try {
    const tenantId = await addTenant(world);
    await insertJobs(
      db,
      Array.from({ length: 25 }, () => jobOn('scripted', tenantId)),
    );
    await waitFor('a cloud to be slow with many', () => hanging >= 20);
    await insertJobs(db, [jobOn('here', tenantId)]);
    await waitFor('the machine', () => here.machines.size === 1);
    await waitFor('a cloud to be slow with all', () => hanging === 25);
  } finally {
    letGo();
    await service?.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});
