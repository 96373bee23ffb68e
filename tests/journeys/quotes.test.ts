import type { Static } from 'typebox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Job } from '../../src/protocol/job.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import type { Quote, QuoteAccuracy, QuoteOption } from '../../src/protocol/quote.ts';
import { createDatabase } from '../support/database.ts';
import { createInstallation, ended, type Client, type Installation } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';

/** Real jobs on the real service: what its quotes learn from them. */
let installation: Installation;
let drop: () => Promise<void>;
let alice: Client;

beforeAll(async () => {
  const database = await createDatabase();
  drop = database.drop;
  const providers = { local: { cpus: 4, memoryGiB: 4 } };
  installation = await createInstallation({ databaseUrl: database.url, config: { providers } });
  await installation.start();
  alice = await installation.tenant('alice');
});
afterAll(async () => {
  await installation.remove();
  await drop();
});

const resources = { cpus: 0.25, memoryGiB: 0.25, diskGiB: 0.25 };

/** Fits a line by gradient descent, a batch every 20 ms, as a loop does that waits for its data. */
const train = `
const batches = 40;
let slope = 0;
for (let batch = 1; batch <= batches; batch++) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (let example = 1; example <= 1000; example++) slope -= 1e-7 * (slope * example - 3 * example) * example;
  console.log('weir progress ' + batch + '/' + batches + ' batches');
}
`;

const training: JobSpec = {
  name: 'line',
  command: 'node train.mjs',
  files: { 'train.mjs': train },
  resources,
  workload: { examples: 40_000, flopsPerExample: 8 },
};

const localOption = ({ options }: Quote): QuoteOption => {
  const option = options.find(({ offer }) => offer.provider === 'local');
  if (option === undefined) throw new Error('Nothing local was quoted.');
  return option;
};

const secondsOf = ({ attempts: [attempt] }: Job): number =>
  (Date.parse(attempt?.finishedAt ?? '') - Date.parse(attempt?.startedAt ?? '')) / 1000;

test('five runs of a job bring its quote within 5 % of them, three times as narrow; accuracy and metrics count them', async () => {
  const before = localOption(await alice.post<Quote>('/v1/quotes', training));
  const took: number[] = [];
  for (let run = 1; run <= 5; run++) {
    const { id } = await alice.submit(training);
    const job = await alice.until(id, ended);
    expect(job.state).toBe('succeeded');
    took.push(secondsOf(job));
  }
  const quote = await waitFor('five runs to count', async () => {
    const asked = await alice.post<Quote>('/v1/quotes', training);
    return asked.calibration.runs === 5 ? asked : undefined;
  });
  const { p10, p50, p90 } = localOption(quote).durationSeconds;
  const middle = took.toSorted((a, b) => a - b)[2] ?? 0;
  expect(Math.abs(p50 / middle - 1)).toBeLessThan(0.05);
  const narrowing = Math.log(before.durationSeconds.p90 / before.durationSeconds.p10) / Math.log(p90 / p10);
  expect(narrowing).toBeGreaterThan(3);

  const accuracy = await alice.get<Static<typeof QuoteAccuracy>>('/v1/quotes/accuracy');
  expect(accuracy).toMatchObject({ finishedJobs: 5, byAccelerator: [{ accelerator: 'cpu', finishedJobs: 5 }] });
  const stranger = await installation.tenant('bob');
  expect(await stranger.get('/v1/quotes/accuracy')).toMatchObject({ quotes: 0, finishedJobs: 0, byBasis: [] });
});
