import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { NewJob } from '../../src/protocol/job.ts';
import { createDatabase } from '../support/database.ts';
import { createInstallation, ended, type Client, type Installation } from '../support/service.ts';

const examples = join(import.meta.dirname, '../../infra/examples');

let installation: Installation;
let drop: () => Promise<void>;
let alice: Client;

beforeAll(async () => {
  const database = await createDatabase();
  drop = database.drop;
  installation = await createInstallation({ databaseUrl: database.url });
  await installation.start();
  alice = await installation.tenant('alice');
});
afterAll(async () => {
  await installation.remove();
  await drop();
});

const specOf = (name: string, job = ''): NewJob =>
  parse(readFileSync(join(examples, 'preprocess-then-train', name), 'utf8').replaceAll('PREPROCESS', job)) as NewJob;

async function uploadDigits(): Promise<string> {
  const archive = execFileSync('tar', ['czf', '-', '-C', join(examples, 'digits-mlp'), '.'], { maxBuffer: 2 ** 24 });
  const upload = await alice.post<{ url: string; uri: string }>('/v1/uploads', {});
  expect((await fetch(upload.url, { method: 'PUT', body: new Uint8Array(archive) })).ok).toBe(true);
  return upload.uri;
}

async function artifactOf(jobId: string, path: string): Promise<string> {
  const { headers } = await alice.call('GET', `/v1/jobs/${jobId}/artifacts/${path}`);
  return (await fetch(new URL(headers.get('location') ?? '', installation.url))).text();
}

test('what the first job prepared reaches the second, which waited for it and trains on it', async () => {
  const first = await alice.submit({ ...specOf('preprocess.yaml'), source: await uploadDigits() });
  const second = await alice.submit(specOf('train.yaml', first.id));
  expect(second.state).toBe('queued');
  expect((await alice.until(first.id, ended, 60_000)).state).toBe('succeeded');
  expect(await alice.until(second.id, ended, 60_000)).toMatchObject({ state: 'succeeded' });
  const metrics = JSON.parse(await artifactOf(second.id, 'out/metrics.json')) as { heldOutAccuracy: number };
  expect(metrics).toMatchObject({ examples: 5000, heldOutAccuracy: expect.closeTo(0.91, 2) });
  const first_ = await alice.job(first.id);
  expect(Date.parse((await alice.job(second.id)).startedAt ?? '')).toBeGreaterThan(Date.parse(first_.finishedAt ?? ''));
});

const small = { resources: { cpus: 0.25, memoryGiB: 0.125, diskGiB: 0.125 } };

test('a job that waits for a whole array is given what all of its tasks made, each below its place', async () => {
  const sweep = await alice.submit({
    name: 'sweep',
    command: 'mkdir -p out && echo $((WEIR_ARRAY_INDEX * WEIR_ARRAY_INDEX)) > out/square',
    outputs: ['out/'],
    array: { count: 4 },
    ...small,
  });
  const sum = await alice.submit({
    name: 'sum',
    command: 'cat made/*/out/square last | sort -n | tr "\\n" " "',
    dependsOn: [{ job: sweep.id }],
    inputs: [
      { uri: `weir://jobs/${sweep.id}/artifacts/`, path: 'made' },
      { uri: `weir://jobs/${sweep.id}/artifacts/3/out/square`, path: 'last' },
    ],
    ...small,
  });
  expect((await alice.until(sum.id, ended, 60_000)).state).toBe('succeeded');
  const said = (await alice.log(sum.id)).filter(({ stream }) => stream === 'stdout').map(({ text }) => text);
  expect(said).toEqual(['0 1 4 9 9 ']);
  const { items } = await alice.get<{ items: { path: string }[] }>(`/v1/jobs/${sweep.id}/artifacts`);
  expect(items.map(({ path }) => path)).toEqual([0, 1, 2, 3].map((index) => `${index}/out/square`));
  expect(await artifactOf(sweep.id, '2/out/square')).toBe('4\n');
});

test('an artifact that the other job did not make fails the one that names it, and says which', async () => {
  const first = await alice.submit({ name: 'empty', command: 'sleep 1', ...small });
  const uri = `weir://jobs/${first.id}/artifacts/none.bin`;
  const named = { name: 'needy', command: 'true', inputs: [{ uri, path: 'none.bin' }], ...small };
  const unheld = await alice.call('POST', '/v1/jobs', named);
  expect(unheld.body).toMatchObject({
    errors: [{ pointer: '/inputs/0/uri', detail: expect.stringContaining('name it in dependsOn too') }],
  });
  const second = await alice.submit({ ...named, dependsOn: [{ job: first.id }] });
  expect(await alice.until(second.id, ended, 60_000)).toMatchObject({
    state: 'failed',
    reason: 'input-unavailable',
    message: expect.stringContaining(`${first.id} has no artifact none.bin`),
  });
  const late = await alice.call('POST', '/v1/jobs', named);
  expect(late.body).toMatchObject({ errors: [{ detail: expect.stringContaining('has no artifact none.bin') }] });
  const bob = await installation.tenant('bob');
  const foreign = await bob.call('POST', '/v1/jobs', named);
  expect(foreign.body).toMatchObject({
    errors: [{ pointer: '/inputs/0/uri', detail: `There is no job ${first.id}.` }],
  });
});
