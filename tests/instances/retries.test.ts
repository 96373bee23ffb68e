import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { insertJobs } from '../../src/jobs/store.ts';
import { asText } from '../../src/quotes/store.ts';
import { findShownJob } from '../../src/jobs/shown-store.ts';
import { jobView } from '../../src/jobs/view.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import { sampleQuote } from '../support/app.ts';
import { addJob, addTenant, jobOf, startRunning, test, type World } from './world.ts';

/** A job that may run in each of these zones, in this order. */
async function addJobIn({ db, now }: World, tenantId: string, zones: string[]): Promise<string> {
  const id = newId('job');
  const quote = sampleQuote(newId('quote'));
  const options = zones.flatMap((zone) =>
    quote.options.map((option) => ({
      ...option,
      id: newId('option'),
      offer: { ...option.offer, id: `scripted/${zone}`, provider: 'scripted', zone },
    })),
  );
  const spec: JobSpec = { name: 'job', command: 'true', retries: { max: 9, on: ['infrastructure', 'exit-code:75'] } };
  await insertJobs(db, [{ id, tenantId, spec, quote: asText(quote), isNewQuote: true, options, at: now() }]);
  return id;
}

async function attemptsOf({ db, now }: World, jobId: string) {
  const row = await findShownJob(db.client, jobId, now());
  if (row === undefined) throw new Error(`no job ${jobId}`);
  return jobView(row, now()).attempts.map(({ offer, avoided }) => ({ zone: offer.zone, avoided }));
}

async function failBy(world: World, jobId: string, reason: 'runner-error' | 'exit-code', exitCode = 1): Promise<void> {
  const { attemptId, number, tokens } = await startRunning(world, jobId);
  for (const token of tokens) await world.end(token, number, reason, exitCode);
  await world.settle(attemptId);
  world.advance(3600);
}

test('after a failure of the machine the next attempt is elsewhere, and comes back when all places have failed', async ({
  world,
}) => {
  const jobId = await addJobIn(world, await addTenant(world), ['a', 'b', 'c']);
  for (const reason of ['runner-error', 'runner-error', 'runner-error', 'runner-error'] as const)
    await failBy(world, jobId, reason);
  expect(await attemptsOf(world, jobId)).toEqual([
    { zone: 'a', avoided: [] },
    { zone: 'b', avoided: ['scripted a'] },
    { zone: 'c', avoided: ['scripted a', 'scripted b'] },
    { zone: 'a', avoided: ['scripted b', 'scripted c'] },
  ]);
});

test('what was the job’s own doing is tried again where it was', async ({ world }) => {
  const jobId = await addJobIn(world, await addTenant(world), ['a', 'b']);
  await failBy(world, jobId, 'exit-code', 75);
  await failBy(world, jobId, 'exit-code', 75);
  expect((await attemptsOf(world, jobId)).map(({ zone }) => zone)).toEqual(['a', 'a']);
  expect((await jobOf(world, jobId)).state).toBe('queued');
  await failBy(world, jobId, 'exit-code', 1);
  expect(await jobOf(world, jobId)).toMatchObject({ state: 'failed', reason: 'exit-code' });
});

test('the spec says how long the first pause is; each next is twice as long, to fifteen minutes or what it says', async ({
  world,
  db,
}) => {
  const pausesOf = async (backoff: string) => {
    const jobId = await addJob(world, await addTenant(world), { retries: { max: 9, backoff } });
    const pauses: number[] = [];
    for (const failedAttempts of [0, 1, 8]) {
      await db.client.job.update({ where: { id: jobId }, data: { failedAttempts } });
      const { attemptId, number, tokens } = await startRunning(world, jobId);
      for (const token of tokens) await world.end(token, number, 'runner-error');
      await world.settle(attemptId);
      pauses.push(((await jobOf(world, jobId)).notBefore?.getTime() ?? 0) - world.now().getTime());
      world.advance(7200);
    }
    await world.cancel(jobId);
    return pauses;
  };
  expect(await pausesOf('30s')).toEqual([30_000, 60_000, 900_000]);
  expect(await pausesOf('1h')).toEqual([3_600_000, 3_600_000, 3_600_000]);
});
