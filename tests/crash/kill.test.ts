import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { createInstallation, ended, type Client, type Installation } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';

/** Counts to `steps`, keeps its count as a checkpoint, and says each number once it is kept. */
const counting = (steps: number) => `
const fs = require('node:fs');
fs.mkdirSync('ckpt', { recursive: true });
let n = fs.existsSync('ckpt/n') ? Number(fs.readFileSync('ckpt/n')) : 0;
const timer = setInterval(() => {
  n += 1;
  fs.writeFileSync('ckpt/n.tmp', String(n));
  fs.renameSync('ckpt/n.tmp', 'ckpt/n');
  console.log('step ' + n);
  if (n >= ${steps}) { clearInterval(timer); fs.mkdirSync('out', { recursive: true }); fs.writeFileSync('out/n', String(n)); }
}, 50);`;

const spec = (steps: number) => ({
  name: 'counting',
  command: ['node', 'count.cjs'],
  files: { 'count.cjs': counting(steps) },
  outputs: ['out/'],
  checkpoints: { path: 'ckpt/' },
  resources: { cpus: 0.25, memoryGiB: 0.25, diskGiB: 0.25 },
});

describe('kill -9 of the service', () => {
  let installation: Installation;
  let drop: () => Promise<void>;
  let alice: Client;

  beforeEach(async () => {
    const database = await createDatabase();
    drop = database.drop;
    installation = await createInstallation({ databaseUrl: database.url });
  });
  afterEach(async () => {
    await installation.remove();
    await drop();
  });

  const steps = 30;
  const moments: [string, (id: string) => Promise<unknown>][] = [
    ['right after it accepted the job', async () => undefined],
    ['while the job is provisioning', (id) => alice.until(id, ['provisioning', 'running', 'succeeded'])],
    ['as soon as the job is running', (id) => alice.until(id, ['running', 'succeeded'])],
    ['in the middle of its log', (id) => waitFor('half of the log', async () => (await alice.log(id)).length > steps / 2)],
    ['while the job is stopping', (id) => alice.until(id, ['stopping', 'succeeded'])],
    ['after the job has ended', (id) => alice.until(id, ended)],
  ];

  test.each(moments)('%s: the job finishes once, with its whole log', async (_name, moment) => {
    const first = await installation.start();
    alice = await installation.tenant('alice');
    const { id } = await alice.submit(spec(steps));
    await moment(id);
    await first.kill('SIGKILL');

    await installation.start();
    const job = await alice.until(id, ended);
    expect(job).toMatchObject({ state: 'succeeded', reason: 'completed' });
    const said = (await alice.log(id)).filter(({ stream }) => stream === 'stdout').map(({ text }) => text);
    expect(said).toEqual(Array.from({ length: steps }, (_, index) => `step ${index + 1}`));
    expect(job.attempts).toHaveLength(1);
    const { items } = await alice.get<{ items: { path: string }[] }>(`/v1/jobs/${id}/artifacts`);
    expect(items.map(({ path }) => path)).toContain('out/n');
  });
});
