import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { create } from 'tar';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import type { Artifact, NewJob, Upload } from '../../src/protocol/job.ts';
import { createDatabase } from '../support/database.ts';
import { createInstallation, ended, type Client } from '../support/service.ts';

const example = join(import.meta.dirname, '../../infra/examples/mnist-tensorflow');
/** Installing TensorFlow is most of it. */
const maxMs = 540_000;

/** Where packages come from on this machine, by way of the service to its jobs. */
const packageIndex = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) =>
    value !== undefined && /^(PIP_|SSL_CERT_|REQUESTS_CA_|(HTTPS?|NO|ALL)_PROXY$)/i.test(name) ? [[name, value]] : [],
  ),
);

test('the TensorFlow example, submitted as it lies there, installs what it needs and tells nine in ten digits', async () => {
  const database = await createDatabase();
  onTestFinished(database.drop);
  const installation = await createInstallation({
    databaseUrl: database.url,
    env: packageIndex,
    config: { providers: { local: { passEnv: Object.keys(packageIndex) } } },
  });
  onTestFinished(installation.remove);
  await installation.start();
  const alice = await installation.tenant('alice');

  const spec = parse(readFileSync(join(example, 'job.yaml'), 'utf8')) as NewJob;
  const { id } = await alice.submit({ ...spec, source: await uploadFolder(alice, example) });
  const job = await alice.until(id, ended, maxMs);
  const said = (await alice.log(id)).map(({ text }) => text);
  expect({ ...job, tail: said.slice(-20) }).toMatchObject({ state: 'succeeded', attempts: [{ exitCode: 0 }] });

  expect(said).toContain('5000 digits to train on, 1000 held out; 2 replicas');
  expect(said).toContain('weir progress 25000/25000 examples');
  const { items } = await alice.get<{ items: Artifact[] }>(`/v1/jobs/${id}/artifacts`);
  const paths = items.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(['ckpt/checkpoint', 'out/metrics.json', 'out/model.keras']));
  const metrics = JSON.parse((await fetchArtifact(alice, id, 'out/metrics.json')).toString()) as {
    epoch: number;
    heldOutAccuracy: number;
  }[];
  expect(metrics.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5]);
  expect(metrics.at(-1)?.heldOutAccuracy).toBeGreaterThan(0.9);
  const model = await fetchArtifact(alice, id, 'out/model.keras');
  expect(sha256Of(model)).toBe(items.find(({ path }) => path === 'out/model.keras')?.sha256);
}, 600_000);

async function uploadFolder(client: Client, folder: string): Promise<string> {
  const archive = create({ cwd: folder, gzip: true, sync: true }, readdirSync(folder)).read() as Buffer;
  const { url, uri } = await client.post<Upload>('/v1/uploads', { name: 'source.tar.gz', sha256: sha256Of(archive) });
  expect((await fetch(url, { method: 'PUT', body: new Uint8Array(archive) })).status).toBe(200);
  return uri;
}

async function fetchArtifact(client: Client, id: string, path: string): Promise<Buffer> {
  const { headers } = await client.call('GET', `/v1/jobs/${id}/artifacts/${path}`);
  return Buffer.from(await (await fetch(headers.get('location') ?? '')).arrayBuffer());
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
