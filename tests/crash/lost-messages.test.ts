import { setInterval as every } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { test } from '../support/database.ts';
import { createInstallation, ended } from '../support/service.ts';
import { countingJob, expectRunOnce } from './counting-job.ts';

const steps = 10;
const betweenMs = 25;

/** Takes messages away as long as it goes on, whoever has them in hand. Answers how many were lost. */
async function loseMessages({ pool }: Database, signal: AbortSignal): Promise<number> {
  let lost = 0;
  const rounds = every(betweenMs, undefined, { signal });
  try {
    for await (const _ of rounds) lost += (await pool.query('DELETE FROM bullmq.job')).rowCount ?? 0;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return lost;
}

test('whatever is lost from the queues at whichever moment, every job runs once and seconds later', async ({ db }) => {
  // Three jobs at a time, so that some wait while others start, run and stop.
  const config = { providers: { local: { cpus: 0.75, memoryGiB: 4, diskGiB: 4 } } };
  const installation = await createInstallation({ databaseUrl: db.url, config });
  onTestFinished(installation.remove);
  await installation.start();
  const alice = await installation.tenant('alice');

  const loss = new AbortController();
  const losing = loseMessages(db, loss.signal);
  const ids: string[] = [];
  for (let count = 0; count < 9; count++) ids.push((await alice.submit(countingJob(steps))).id);
  for (const id of ids) await alice.until(id, ended);
  loss.abort();
  expect(await losing).toBeGreaterThan(ids.length);
  for (const id of ids) await expectRunOnce(alice, id, steps);
});
