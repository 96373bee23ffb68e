import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCluster } from '../../src/db/cluster.ts';
import { freePort } from '../support/free-port.ts';
import { createInstallation } from '../support/service.ts';
import { load, type Rate } from './load.ts';
import { finish, median } from './summary.ts';

/**
 * Accepted jobs a second, each stored with its quote and first event, at 32 connections, against a bare Fastify handler that
 * does one INSERT into the same database; in turns, so that both see the same machine.
 */
const connections = 32;
const durationSeconds = 4;
const turns = 3;
const spec = {
  name: 'bench',
  command: 'true',
  resources: { cpus: 1, memoryGiB: 0.5 },
  workload: { flops: 1e12, precision: 'fp32' },
};

const directory = await mkdtemp(join(tmpdir(), 'weir-bench-'));
const cluster = await startCluster(join(directory, 'postgres'));
const installation = await createInstallation({ databaseUrl: cluster.url });
await installation.start('api');
const tenant = await installation.tenant('bench');
const barePort = await freePort();
const bare = spawn(process.execPath, [join(import.meta.dirname, 'bare-handler.ts'), cluster.url, String(barePort)], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
await once(bare.stdout, 'data');

const submit = (url: string) =>
  load({ url: `${url}/v1/jobs`, key: tenant.key, body: spec, connections, durationSeconds });

await submit(installation.url);
await submit(`http://127.0.0.1:${barePort}`);
const rounds: { weir: Rate; bare: Rate }[] = [];
for (let turn = 0; turn < turns; turn += 1)
  rounds.push({ weir: await submit(installation.url), bare: await submit(`http://127.0.0.1:${barePort}`) });

bare.kill();
await installation.remove();
await cluster.stop();
await rm(directory, { recursive: true, force: true });

const weirPerSecond = median(rounds.map(({ weir }) => weir.perSecond));
const barePerSecond = median(rounds.map(({ bare }) => bare.perSecond));
finish({
  rounds,
  summary: {
    acceptedPerSecond: weirPerSecond,
    barePerSecond,
    ratio: median(rounds.map(({ weir, bare }) => weir.perSecond / bare.perSecond)),
    p99Ms: median(rounds.map(({ weir }) => weir.p99Ms)),
    bareP99Ms: median(rounds.map(({ bare }) => bare.p99Ms)),
  },
});
