import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { containersOf, publishImage, type ContainerImage } from '../support/container-image.ts';
import { processesOf } from '../support/processes.ts';
import { createInstallation, ended } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';

let image: ContainerImage;
beforeAll(async () => {
  image = await publishImage();
});
afterAll(() => image.remove());

test('a job with an image whose runner is killed leaves no container, and is run again', async () => {
  const installation = await createInstallation();
  onTestFinished(installation.remove);
  await installation.start();
  const alice = await installation.tenant('alice');
  const { id } = await alice.submit({
    name: 'contained',
    image: image.name,
    command: 'echo "attempt $WEIR_ATTEMPT"; test $WEIR_ATTEMPT = 2 || sleep 600',
    resources: { cpus: 0.5, memoryGiB: 0.25, diskGiB: 0.25 },
  });
  await waitFor('the job', async () => (await alice.log(id)).some(({ text }) => text === 'attempt 1'));
  const [first = ''] = await containersOf(image.name);
  for (const { pid } of processesOf(`${installation.dataDir}/instances`)) process.kill(pid, 'SIGKILL');

  expect(await alice.until(id, ended)).toMatchObject({ state: 'succeeded', attempts: [{ number: 1 }, { number: 2 }] });
  expect((await alice.log(id)).map(({ text }) => text)).toContain('attempt 2');
  expect(first).not.toBe('');
  await waitFor('the containers to be gone', async () => (await containersOf(image.name)).length === 0);
});
