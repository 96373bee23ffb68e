import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Job } from '../../src/protocol/job.ts';
import { createDatabase } from '../support/database.ts';
import { createInstallation, ended, type Client, type Installation } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';

let installation: Installation;
let drop: () => Promise<void>;

beforeEach(async () => {
  const database = await createDatabase();
  drop = database.drop;
  installation = await createInstallation({ databaseUrl: database.url });
});
afterEach(async () => {
  await installation.remove();
  await drop();
});

const count = 8;
const array = {
  name: 'sweep',
  command: 'echo "$WEIR_ARRAY_INDEX of $WEIR_ARRAY_COUNT with $lr"',
  array: { values: Array.from({ length: count }, (_, index) => ({ lr: index / 10 })) },
  resources: { cpus: 0.25, memoryGiB: 0.125, diskGiB: 0.125 },
};

const tasksOf = async (client: Client, id: string) =>
  (await client.get<{ items: Job[] }>(`/v1/jobs?array=${id}&limit=1000`)).items.toReversed();

const doneOf = async (client: Client, id: string) => {
  const { tasks } = await client.job(id);
  return (tasks?.succeeded ?? 0) + (tasks?.failed ?? 0);
};

test('kill -9 of the service again and again: each task of an array runs once, and none is lost', async () => {
  let service = await installation.start();
  const alice = await installation.tenant('alice');
  const { id } = await alice.submit(array);
  for (const done of [0, 3]) {
    await waitFor(`${done} tasks to end`, async () => (await doneOf(alice, id)) >= done, 60_000);
    await service.kill('SIGKILL');
    service = await installation.start();
  }
  expect(await alice.until(id, ended, 120_000)).toMatchObject({ state: 'succeeded', tasks: { succeeded: count } });
  const tasks = await tasksOf(alice, id);
  expect(tasks.map(({ task }) => task?.index)).toEqual(Array.from({ length: count }, (_, index) => index));
  expect(tasks.filter(({ attempts }) => attempts.length !== 1)).toEqual([]);
  for (const { id: taskId, task } of tasks) {
    const said = (await alice.log(taskId)).filter(({ stream }) => stream === 'stdout').map(({ text }) => text);
    expect(said).toEqual([`${task?.index} of ${count} with ${(task?.index ?? 0) / 10}`]);
  }
  const statement = await alice.get<{ items: { job: string | null; kind: string }[] }>(
    `/v1/tenants/${alice.tenantId}/statement?limit=1000`,
  );
  expect(statement.items.some(({ job }) => job === id)).toBe(false);
});
