import { expect } from 'vitest';
import { createInstallation } from '../support/service.ts';
import { addJob, addTenant, startRunning, test } from './world.ts';

test('a worker without a provider that has machines of ours ends with the exit code of a faulty configuration', async ({
  world,
  db,
}) => {
  const { instanceIds } = await startRunning(world, await addJob(world, await addTenant(world)));
  const installation = await createInstallation({ databaseUrl: db.url });
  try {
    await expect(installation.start('worker')).rejects.toThrow(/78.*providers\.scripted: .* has 1 machine /s);
    await db.client.instance.updateMany({ where: { id: { in: instanceIds } }, data: { state: 'gone' } });
    await installation.start('worker');
  } finally {
    await installation.remove();
  }
});
