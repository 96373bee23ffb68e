import type { Static } from 'typebox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Job, JobEvent } from '../../src/protocol/job.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import type { Quote, QuoteAccuracy, QuoteOption } from '../../src/protocol/quote.ts';
import { createDatabase } from '../support/database.ts';
import { createInstallation, ended, type Client, type Installation, type ServiceProcess } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';

/** Real jobs on the real service: what its quotes learn from them. */
let installation: Installation;
let drop: () => Promise<void>;
let alice: Client;
let service: ServiceProcess;

beforeAll(async () => {
  const database = await createDatabase();
  drop = database.drop;
  const providers = { local: { cpus: 4, memoryGiB: 4 } };
  installation = await createInstallation({
    databaseUrl: database.url,
    config: { providers },
    timing: { pilotSeconds: 5 },
  });
  service = await installation.start();
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

test('quotes of hundreds of options, and the one of a job, are there later as they were answered', async () => {
  const anyCount = { resources: { accelerators: 'H100' }, workload: { preset: 'llama-2-7b' } };
  const wide = await alice.post<Quote>('/v1/quotes', { ...training, ...anyCount });
  expect(wide.options.length).toBeGreaterThan(100);
  expect(await alice.get(`/v1/quotes/${wide.id}`)).toEqual(wide);
  const job = await alice.post<Job>('/v1/jobs', { ...training, name: 'kept' });
  expect(await alice.get(`/v1/quotes/${job.quote?.id}`)).toEqual(job.quote);
  await alice.post(`/v1/jobs/${job.id}/cancel`, {});
});

const batches = (count: number): JobSpec => ({
  ...training,
  name: 'long-line',
  files: { 'train.mjs': train.replace('const batches = 40', `const batches = ${count}`) },
  outputs: ['train.mjs'],
});

const piloted = (quote: Quote, client = alice): Promise<Quote> =>
  waitFor('the pilot to end', async () => {
    const asked = await client.get<Quote>(`/v1/quotes/${quote.id}`);
    return asked.pilot?.state === 'running' ? undefined : asked;
  });

test('a pilot of a long job measures it in moments, as a job of the tenant’s, and the quote keeps what it measured', async () => {
  const spec = batches(100_000);
  const first = await alice.post<Quote>('/v1/quotes', { ...spec, pilot: true });
  expect(first.pilot).toMatchObject({ state: 'running', measured: null });
  const id = first.pilot?.job ?? '';
  const quote = await piloted(first);
  expect(quote.pilot?.message).toMatch(/^Measured by a pilot on local, .* of 100000 batches/);
  expect(quote).toMatchObject({ id: first.id, createdAt: first.createdAt, workload: { basis: 'pilot' } });
  const { p10, p50, p90 } = localOption(quote).durationSeconds;
  // A batch takes 20 ms and a little.
  expect(p50).toBeGreaterThan(2_000);
  expect(p50).toBeLessThan(10_000);
  expect(p90 / p10).toBeLessThan(localOption(first).durationSeconds.p90 / localOption(first).durationSeconds.p10 / 3);

  const job = await alice.job(id);
  expect(job).toMatchObject({
    name: 'long-line-pilot',
    state: 'succeeded',
    spec: { labels: { 'weir-pilot': quote.id } },
  });
  expect(job.cost.finalUsd).toBeGreaterThan(0);
  expect(await alice.get(`/v1/jobs/${id}/artifacts`)).toMatchObject({ items: [] });

  const submitted = await alice.submit({ ...spec, quoteId: quote.id });
  expect(localOption(submitted.quote ?? quote).durationSeconds).toEqual({ p10, p50, p90 });
  // Live: its end is foreseen where the pilot saw it, though it has only begun.
  const running = await waitFor('the job to say something', async () => {
    const seen = await alice.job(submitted.id);
    return (seen.progress?.done ?? 0) > 10 ? seen : undefined;
  });
  const foreseen = (Date.parse(running.progress?.eta.p50 ?? '') - Date.parse(running.startedAt ?? '')) / 1000;
  expect(foreseen / p50).toBeGreaterThan(0.5);
  expect(foreseen / p50).toBeLessThan(2);
  await alice.post(`/v1/jobs/${submitted.id}/cancel`);
});

test('a pilot that says nothing, or may not run, leaves the quote as it was and says so', async () => {
  const silent = { name: 'silent', command: 'exec sleep 60', resources };
  const before = await alice.post<Quote>('/v1/quotes', { ...silent, pilot: true });
  // Whatever happens to the service in between.
  await alice.until(before.pilot?.job ?? '', ['running']);
  await service.kill('SIGKILL');
  service = await installation.start();
  const after = await piloted(before);
  expect(after.pilot).toMatchObject({
    state: 'failed',
    measured: null,
    message: expect.stringContaining('printed no progress'),
  });
  expect({ ...after, pilot: undefined }).toEqual({ ...before, pilot: undefined });

  const poor = await installation.tenant('poor');
  await installation.operator.call('PUT', `/v1/tenants/${poor.tenantId}/policy`, { caps: { runningJobs: 0 } });
  const refused = await waitFor('the policy to hold', async () => {
    const asked = await piloted(await poor.post<Quote>('/v1/quotes', { ...silent, pilot: true }), poor);
    return asked.pilot?.message.includes('lets the tenant run no jobs') ? asked : undefined;
  });
  expect(refused.pilot).toMatchObject({ state: 'failed', job: null });

  const [many] = [await alice.call('POST', '/v1/quotes', { ...silent, array: { count: 3 }, pilot: true })];
  expect(many).toMatchObject({ status: 400, body: { errors: [{ pointer: '/pilot' }] } });
});

test('a job that heads over its maxCostUsd is announced, then ended in grace, and its last checkpoint is kept', async () => {
  const command = `trap 'echo step 9 > ckpt/last; echo saved; exit 0' TERM; mkdir -p ckpt; while :; do sleep 0.1; done`;
  // A quarter of a core costs half a cent an hour: this is four seconds of it.
  const { id } = await alice.submit({
    name: 'dear',
    command,
    resources,
    checkpoints: { path: 'ckpt/' },
    maxCostUsd: 6e-6,
  });
  const job = await alice.until(id, ended);
  expect(job).toMatchObject({ state: 'failed', reason: 'max-cost' });
  const { items } = await alice.get<{ items: JobEvent[] }>(`/v1/jobs/${id}/events`);
  const [announced] = items.filter(({ type }) => type === 'cost.nearing-limit');
  expect(announced?.message).toContain('heading over its limit');
  expect(items.indexOf(announced as JobEvent)).toBeLessThan(items.findIndex(({ to }) => to === 'stopping'));
  expect((await alice.log(id)).map(({ text }) => text)).toContain('saved');
});

test('on a full machine a quote says when the job would start, behind what runs and what waits, and keeps deadlines by it', async () => {
  const carol = await installation.tenant('carol');
  const whole = {
    name: 'whole',
    command: 'exec sleep 600',
    resources: { cpus: 4, memoryGiB: 0.25, diskGiB: 0.25 },
    workload: { expectedDuration: '10m' },
  };
  const soon = localOption(await carol.post<Quote>('/v1/quotes', whole));
  const running = await carol.submit(whole);
  await carol.until(running.id, ['running']);
  const quoteOnceBehind = (least: number, spec: JobSpec): Promise<Quote> =>
    waitFor('the quote to count the queue', async () => {
      const quote = await carol.post<Quote>('/v1/quotes', spec);
      return localOption(quote).start.p50Seconds > least ? quote : undefined;
    });

  const second = await quoteOnceBehind(100, whole);
  const { p50, p90 } = soon.durationSeconds;
  const { start } = localOption(second);
  expect(start.p50Seconds).toBeGreaterThan(p50 - 60);
  expect(start.p50Seconds).toBeLessThan(p50 + 60);
  expect(start.p90Seconds).toBeGreaterThan(p90 - 60);
  expect(start.p90Seconds).toBeLessThan(p90 + 60);
  expect(second.workload.assumptions).toContainEqual(expect.stringMatching(/^local is full now: the job waits about /));

  const waiting = await carol.submit(whole);
  const third = localOption(await quoteOnceBehind(p50 + 100, whole));
  expect(third.start.p50Seconds).toBeGreaterThan(2 * p50 - 60);
  expect(third.start.p50Seconds).toBeLessThan(2 * p50 + 60);

  const within = (seconds: number) => ({ ...whole, deadline: new Date(Date.now() + seconds * 1000).toISOString() });
  const late = await carol.post<Quote>('/v1/quotes', within(2 * p50));
  expect(late.workload.assumptions.join('\n')).toMatch(/No option (is expected to end|ends) by/);
  const inTime = await carol.post<Quote>('/v1/quotes', within(3 * p50 + 120));
  expect(inTime.workload.assumptions.join('\n')).not.toMatch(/No option/);

  await carol.post(`/v1/jobs/${waiting.id}/cancel`);
  await carol.post(`/v1/jobs/${running.id}/cancel`);
  await carol.until(running.id, ended);
  await waitFor('the machine to be free in quotes', async () => {
    const free = localOption(await carol.post<Quote>('/v1/quotes', whole));
    return free.start.p50Seconds === soon.start.p50Seconds || free.start.p50Seconds < 60;
  });
});
