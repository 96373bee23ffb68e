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
 * Quotes a second over HTTP, each computed, stored and answered, against the same route with an empty handler; in turns, so that
 * both see the same machine. The rate is at 16 connections, each of which asks again once it is answered: more than the process can
 * serve, so p99 there is mostly the wait for the others. `…P99MsOfOne` is what one client sees that asks alone, again and again, as
 * a command line or a page does. How fast quotes are only computed is in quotes.ts.
 */
const saturating = 16;
const durationSeconds = { saturating: 2, ofOne: 1 };
const turns = 3;
const specs = {
  cpu: {
    name: 'bench',
    command: 'true',
    workload: { kind: 'other', examples: 60_000, epochs: 10, flopsPerExample: 3e5 },
  },
  gpu: {
    name: 'bench',
    command: 'true',
    resources: { accelerators: 'A100-80GB:8' },
    workload: { preset: 'llama-2-7b' },
  },
  catalogue: {
    name: 'bench',
    command: 'true',
    resources: { accelerators: 'H100' },
    workload: { preset: 'llama-2-7b' },
  },
};

const directory = await mkdtemp(join(tmpdir(), 'weir-bench-'));
const cluster = await startCluster(join(directory, 'postgres'));
const installation = await createInstallation({ databaseUrl: cluster.url });
await installation.start('api');
const tenant = await installation.tenant('bench');
const emptyPort = await freePort();
const empty = spawn(process.execPath, [join(import.meta.dirname, 'empty-handler.ts'), String(emptyPort)], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
await once(empty.stdout, 'data');

const post = (url: string, body: unknown) => ({ url: `${url}/v1/quotes`, key: tenant.key, body });
const ask = (url: string, spec: unknown) =>
  load({ ...post(url, spec), connections: saturating, durationSeconds: durationSeconds.saturating });
const askAlone = (url: string, spec: unknown) =>
  load({ ...post(url, spec), connections: 1, durationSeconds: durationSeconds.ofOne });

const emptyUrl = `http://127.0.0.1:${emptyPort}`;
const measured: Record<string, { weir: Rate; empty: Rate; ofOne: Rate; emptyOfOne: Rate }[]> = {};
for (const [name, spec] of Object.entries(specs)) {
  await ask(installation.url, spec);
  const rounds = [];
  for (let turn = 0; turn < turns; turn += 1)
    rounds.push({
      weir: await ask(installation.url, spec),
      empty: await ask(emptyUrl, spec),
      ofOne: await askAlone(installation.url, spec),
      emptyOfOne: await askAlone(emptyUrl, spec),
    });
  measured[name] = rounds;
}

empty.kill();
await installation.remove();
await cluster.stop();
await rm(directory, { recursive: true, force: true });

const figures = Object.entries(measured).flatMap(([name, rounds]) => [
  [`${name}PerSecond`, median(rounds.map(({ weir }) => weir.perSecond))] as const,
  [`${name}P99Ms`, median(rounds.map(({ weir }) => weir.p99Ms))] as const,
  [`${name}P99MsOfOne`, median(rounds.map(({ ofOne }) => ofOne.p99Ms))] as const,
  [`${name}EmptyP99Ms`, median(rounds.map(({ empty: bare }) => bare.p99Ms))] as const,
  [`${name}EmptyP99MsOfOne`, median(rounds.map(({ emptyOfOne }) => emptyOfOne.p99Ms))] as const,
  [`${name}Ratio`, median(rounds.map(({ weir, empty: bare }) => weir.perSecond / bare.perSecond))] as const,
]);
finish({ measured, summary: Object.fromEntries(figures) });
