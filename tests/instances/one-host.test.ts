import { afterEach, expect, vi } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { onOneHost } from '../../src/instances/one-host.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { createInstallation } from '../support/service.ts';
import { createScriptedProvider } from './scripted-provider.ts';
import { addJob, addTenant, startRunning, test } from './world.ts';

afterEach(() => void vi.useRealTimers());

const leaseMs = 300_000;
const onHost = (db: Database, host: string): Promise<Provider> =>
  onOneHost({ ...createScriptedProvider(), host }, { db, leaseMs });

/** The host that has the place was last there so long ago. */
const wasThere = (db: Database, secondsAgo: number) =>
  db.pool.query(
    `UPDATE setting SET value = value || jsonb_build_object('at', now() - $1 * interval '1 s') WHERE name = 'host of scripted'`,
    [secondsAgo],
  );

test('of two hosts that offer themselves the first does; its processes all do', async ({ db }) => {
  const first = await onHost(db, 'a');
  const another = await onHost(db, 'a');
  await expect(onHost(db, 'b')).rejects.toThrow(/another host.*providers\.scripted\.enabled to false/);
  expect(await Promise.all([first.list(), another.list()])).toEqual([[], []]);
});

test('a host that was not there for a minute gives its place to the next, and does nothing any more', async ({
  db,
}) => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const first = await onHost(db, 'a');
  await wasThere(db, 61);
  const second = await onHost(db, 'b');
  expect(await second.list()).toEqual([]);
  await expect(onHost(db, 'a')).rejects.toThrow('another host');
  vi.advanceTimersByTime(10_000);
  await expect(first.list()).rejects.toMatchObject({ code: 'unavailable' });
  await expect(first.destroy({ name: 'weir-x', zone: 'here' })).rejects.toMatchObject({ code: 'unavailable' });
});

test('a host whose jobs are heard keeps its place, also while no worker of it is there', async ({ world, db }) => {
  await startRunning(world, await addJob(world, await addTenant(world)));
  await onHost(db, 'a');
  await wasThere(db, 61);
  await db.pool.query('UPDATE instance SET heartbeat_at = now()');
  await expect(onHost(db, 'b')).rejects.toThrow('another host');
  await db.pool.query(`UPDATE instance SET heartbeat_at = now() - interval '301 s'`);
  await onHost(db, 'b');
});

test('a worker of another host ends with the exit code of a faulty configuration', async ({ db }) => {
  const [here, there] = await Promise.all([
    createInstallation({ databaseUrl: db.url }),
    createInstallation({ databaseUrl: db.url }),
  ]);
  try {
    await here.start('worker');
    await expect(there.start('worker')).rejects.toThrow(/78.*another host/s);
  } finally {
    await here.remove();
    await there.remove();
  }
}, 120_000);
