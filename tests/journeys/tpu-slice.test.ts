import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NewJob } from '../../src/protocol/job.ts';
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
  const zones = ['us-central1-a', 'us-central1-b', 'us-central1-c'];
  cloud = await startWeirCloud({
    tpus: Object.fromEntries(zones.map((zone) => [zone, ['v5p']])),
    timing: { secondMs: 20 },
  });
  const gcp = { ...cloud.providers.gcp, kinds: ['v5p'], capacityWaitSeconds: 30 };
  installation = await createInstallation({
    databaseUrl: database.url,
    config: { providers: { ...cloud.providers, gcp } },
    host: cloud.hostAddress,
    timing: { bootSeconds: 60 },
  });
  await installation.start();
  alice = await installation.tenant('alice');
}, 180_000);

afterAll(async () => {
  await installation?.remove();
  await cloud?.close();
  await drop?.();
});

/**
 * As JAX does it: the hosts meet at the first of them, whose address all have, at JAX's own port; then they go step by step, until the
 * first has counted to `steps` and tells the others.
 */
const training = (steps: number) => `
const fs = require('node:fs');
const net = require('node:net');
const env = process.env;
const hosts = env.TPU_WORKER_HOSTNAMES.split(',');
const told = Object.keys(env).filter((key) => /TPU|BOUNDS|WRAP|ALT|PJRT|COORD/.test(key)).sort();
console.log('environment ' + JSON.stringify(Object.fromEntries(told.map((key) => [key, env[key]]))));
const port = 8476;
if (env.TPU_WORKER_ID !== '0') {
  const join = () => {
    const socket = net.connect(port, hosts[0], () => console.log('host ' + env.TPU_WORKER_ID + ' joined'));
    socket.on('error', () => setTimeout(join, 50)).on('data', () => socket.end());
  };
  join();
} else {
  fs.mkdirSync('ckpt', { recursive: true });
  let n = fs.existsSync('ckpt/n') ? Number(fs.readFileSync('ckpt/n')) : 0;
  console.log('starts at ' + n);
  const met = [];
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    if (met.push(socket) < hosts.length - 1) return;
    const timer = setInterval(() => {
      n += 1;
      fs.writeFileSync('ckpt/n.tmp', String(n));
      fs.renameSync('ckpt/n.tmp', 'ckpt/n');
      console.log('step ' + n);
      if (n < ${steps}) return;
      clearInterval(timer);
      for (const each of met) each.end('done');
      server.close();
    }, 50);
  }).listen(port, hosts[0]);
}`;

const job = (steps: number): NewJob => ({
  name: 'slice',
  command: ['node', 'train.cjs'],
  files: { 'train.cjs': training(steps) },
  env: { PATH: `${cloud.programs}:/usr/bin:/bin` },
  checkpoints: { path: 'ckpt/' },
  resources: { accelerators: 'v5p-16', market: 'spot' },
  workload: { expectedDuration: '5m' },
});

test('a slice that expires in one zone is had in the next, its hosts meet, it is taken away, and another goes on from the checkpoint', async () => {
  cloud.faults.stockout({ zone: 'us-central1-a', times: 1 });
  const { id } = await alice.submit(job(80));
  const texts = async () => (await alice.log(id)).map(({ text }) => text);
  await waitFor('the third step', async () => (await texts()).includes('step 3'), 90_000);
  const slice = cloud.slices.all().find(({ zone }) => zone === 'us-central1-b');
  expect(slice?.hosts).toHaveLength(2);
  await cloud.slices.evict(slice?.id ?? '');
  const ran = await alice.until(id, ended, 90_000);

  expect(ran.attempts.map(({ reason, offer }) => `${offer.zone} ${reason}`)).toEqual([
    'us-central1-a no-capacity',
    'us-central1-b preemption',
    'us-central1-c completed',
  ]);
  expect(ran.state).toBe('succeeded');
  const lines = await texts();
  expect(lines.filter((line) => line === 'host 1 joined')).toHaveLength(2);
  const starts = lines.flatMap((line) => /^starts at (\d+)$/.exec(line)?.[1] ?? []).map(Number);
  expect(starts[0]).toBe(0);
  expect(starts[1]).toBeGreaterThanOrEqual(3);
  expect(lines).toContain('step 80');

  const told = lines.flatMap((line) => /^environment (.*)$/.exec(line)?.[1] ?? []);
  const ofSecond = slice?.hosts.map(({ address }) => address).join(',');
  for (const worker of ['0', '1'])
    expect(told.map((text) => JSON.parse(text) as Record<string, string>)).toContainEqual(
      expect.objectContaining({
        TPU_WORKER_ID: worker,
        TPU_WORKER_HOSTNAMES: ofSecond,
        TPU_ACCELERATOR_TYPE: 'v5p-16',
        TPU_TOPOLOGY: '2x2x2',
        TPU_HOST_BOUNDS: '1,1,2',
        TPU_CHIPS_PER_HOST_BOUNDS: '2,2,1',
        TPU_TOPOLOGY_WRAP: 'false,false,false',
        TPU_SKIP_MDS_QUERY: '1',
        PJRT_DEVICE: 'TPU',
        TPU_NAME: slice?.hosts.map(({ address }) => `grpc://${address}:8470`).join(','),
      }),
    );

  await waitFor('no queued resource and no node to be left', () => cloud.slices.all().length === 0);
  for (const { costUsd, residualUsd, offer, instance } of ran.attempts) {
    const seconds = ((costUsd + residualUsd) / offer.hourlyUsd) * 3600;
    expect(Math.abs(seconds - cloud.slices.runningSeconds((instance ?? '').replace(/-\d+$/, '')))).toBeLessThan(3);
  }
}, 240_000);
