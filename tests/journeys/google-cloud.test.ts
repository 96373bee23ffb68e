import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create as createTar } from 'tar';
import type { Static } from 'typebox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Artifact, Job, JobEvent, NewJob, Upload } from '../../src/protocol/job.ts';
import type { Quote, Scaling } from '../../src/protocol/quote.ts';
import { startWeirCloud, type WeirCloud } from '../emulators/weir-cloud.ts';
import { createDatabase } from '../support/database.ts';
import { runnerExecutable } from '../support/runner-executable.ts';
import { createInstallation, ended, type Client, type Installation } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';

let cloud: WeirCloud;
let installation: Installation;
let drop: () => Promise<void>;
let alice: Client;

beforeAll(async () => {
  const [database] = await Promise.all([createDatabase(), runnerExecutable()]);
  drop = database.drop;
  cloud = await startWeirCloud();
  installation = await createInstallation({
    databaseUrl: database.url,
    config: { providers: cloud.providers },
    host: cloud.hostAddress,
  });
  await installation.start();
  alice = await installation.tenant('alice');
}, 180_000);

afterAll(async () => {
  await installation?.remove();
  await cloud?.close();
  await drop?.();
});

const example = join(import.meta.dirname, '../../infra/examples/digits-mlp');

/** The sample job, on one L4 of a spot machine. */
async function sample(epochs: number): Promise<NewJob> {
  const archive = createTar({ gzip: true, cwd: example, portable: true }, ['.']);
  const bytes = Buffer.concat(await Array.fromAsync(archive as AsyncIterable<Buffer>));
  const upload = await alice.post<Upload>('/v1/uploads', { name: 'digits-mlp.tar.gz', sizeBytes: bytes.length });
  const sent = await fetch(upload.url, { method: upload.method, headers: upload.headers, body: bytes });
  expect(sent.ok).toBe(true);
  const spec = parse(await readFile(join(example, 'job.yaml'), 'utf8')) as NewJob;
  return {
    ...spec,
    source: upload.uri,
    command: `node train.mjs --epochs ${epochs}`,
    resources: { ...spec.resources, accelerators: 'L4:1', market: 'spot' },
    env: { PATH: `${cloud.programs}:/usr/bin:/bin` },
  };
}

/** Each machine's seconds, as we count them, residual included, and as Google does. */
function secondsOf({ attempts }: Job): { counted: number; ran: number }[] {
  return attempts.map(({ costUsd, residualUsd, offer, instance }) => ({
    counted: ((costUsd + residualUsd) / offer.hourlyUsd) * 3600,
    ran: cloud.runningSeconds(instance ?? ''),
  }));
}

test('the sample job is evicted in us-central1-a, goes on from its checkpoint in us-central1-b, and its bill agrees with Google’s', async () => {
  const { id } = await alice.submit(await sample(6));
  const texts = async () => (await alice.log(id)).map(({ text }) => text);
  await waitFor('an epoch', async () => (await texts()).some((text) => text.startsWith('epoch 1/6')), 60_000);
  await cloud.evict((await alice.job(id)).attempts[0]?.instance ?? '');
  const job = await alice.until(id, ended, 60_000);

  expect(job).toMatchObject({
    state: 'succeeded',
    attempts: [
      { reason: 'preemption', offer: { zone: 'us-central1-a' } },
      { reason: 'completed', exitCode: 0, offer: { zone: 'us-central1-b', market: 'spot' } },
    ],
  });
  const lines = await texts();
  expect(lines.filter((line) => line.startsWith('epoch '))).toHaveLength(6);
  expect(lines).toContainEqual(expect.stringMatching(/^stopped by SIGTERM at epoch \d, example \d+/));
  expect(lines).toContainEqual(expect.stringMatching(/^resumed from ckpt\/checkpoint at epoch [23]/));
  const { items: artifacts } = await alice.get<{ items: Artifact[] }>(`/v1/jobs/${id}/artifacts`);
  expect(artifacts.map(({ path }) => path)).toEqual(['ckpt/checkpoint', 'out/metrics.json', 'out/model.json']);

  const { items: events } = await alice.get<{ items: JobEvent[] }>(`/v1/jobs/${id}/events?limit=1000`);
  const stages = events.filter(({ attempt }) => attempt === 1).map(({ type }) => type);
  expect(stages).toEqual(
    expect.arrayContaining(['instance.booted', 'instance.fetching-runner', 'instance.starting-runner']),
  );
  // Google counts until the machine is off, we until it is seen to be gone.
  for (const { counted, ran } of secondsOf(job)) expect(Math.abs(counted - ran)).toBeLessThan(2);
  expect(job.cost.finalUsd).toBeCloseTo(
    job.attempts.reduce((sum, { costUsd }) => sum + costUsd, 0),
    6,
  );
  await waitFor('no machine and no disk to be left', () => cloud.instances.all().length + cloud.disks().length === 0);
}, 180_000);

const one = { accelerators: 'L4:1', market: 'spot' } as const;

test('a count that no machine has runs on as many machines as were quoted, and its quote has a scaling curve', async () => {
  const resources = { accelerators: 'L4:16', market: 'on-demand' } as const;
  const command = 'echo $WEIR_NODE_RANK of $WEIR_NODE_COUNT';
  const spec: NewJob = { name: 'gang', command, resources, workload: { flops: 1e12 } };
  const quote = await alice.post<Quote>('/v1/quotes', spec);
  const { id } = await alice.submit({ ...spec, quoteId: quote.id });
  const job = await alice.until(id, ended, 60_000);
  expect(job).toMatchObject({
    state: 'succeeded',
    attempts: [{ offer: { machineType: 'g2-standard-96', nodes: 2, accelerators: { kind: 'L4', count: 8 } } }],
  });
  const told = (await alice.log(id)).map(({ text }) => text).filter((text) => / of /.test(text));
  expect(told.toSorted()).toEqual(['0 of 2', '1 of 2']);
  const { points } = await alice.get<Static<typeof Scaling>>(`/v1/quotes/${quote.id}/scaling`);
  expect(points.map(({ accelerators }) => accelerators.count)).toContain(16);
}, 90_000);

test('a permission that is revoked while a job runs keeps it from its end, not from going on when it is back', async () => {
  const { id } = await alice.submit({ name: 'revoked', command: 'echo ready; sleep 1', resources: one });
  await waitFor('the job to run', async () => (await alice.log(id)).length > 0);
  cloud.permissions.revoke('compute.instances.delete');
  const asked = () =>
    cloud.calls.filter(({ method, status }) => method === 'compute.instances.delete' && status === 403);
  const before = asked().length;
  await waitFor('weir to ask twice', () => asked().length >= before + 2);
  expect((await alice.job(id)).state).toBe('stopping');
  cloud.permissions.restore('compute.instances.delete');
  expect(await alice.until(id, ended)).toMatchObject({ state: 'succeeded' });
  expect(cloud.instances.all()).toEqual([]);
});

test('without the permission to make machines a job waits for what an operator has to grant, and Google is not asked over and over', async () => {
  cloud.permissions.revoke('compute.instances.create');
  const refusals = () =>
    cloud.calls.filter(({ method, status }) => method === 'compute.instances.insert' && status === 403);
  const { id } = await alice.submit({ name: 'refused', command: 'true', resources: one });
  await waitFor('the job to say what it waits for', async () => {
    const told = ((await alice.job(id)).waiting?.blockers ?? []).map(({ message }) => message).join(' ');
    return told.includes('An operator grants') && told.includes('compute.instances.create');
  });
  const asked = refusals().length;
  const sweeps = () => cloud.calls.filter(({ method }) => method === 'compute.instances.aggregatedList').length;
  const before = sweeps();
  await waitFor('five sweeps', () => sweeps() >= before + 5);
  expect(refusals().length).toBe(asked);
  await alice.post(`/v1/jobs/${id}/cancel`);
  expect(await alice.until(id, ended)).toMatchObject({ state: 'cancelled', cost: { finalUsd: 0 } });
  expect(cloud.instances.all()).toEqual([]);
  cloud.permissions.restore('compute.instances.create');
});
