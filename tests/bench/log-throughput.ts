import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { newToken } from '../../src/core/tokens.ts';
import type { Boot, Report } from '../../src/protocol/runner.ts';
import { assignmentOf } from '../support/fake-broker.ts';
import { finish, median } from './summary.ts';

/**
 * What a job loses by being logged: the same program, which computes and prints 50 MB/s, writing to /dev/null and to the
 * runner; and how much the runner takes of a program that only prints. `node tests/bench/log-throughput.ts [--json]`
 */
const rounds = 5;
const chunkBytes = 500_000;
const chunks = 300;
const aimBytesPerSecond = 50e6;
const floodBytes = 500e6;

/** Above some tenths, other work on the machine is measured, not the runner. */
const loadBefore = (loadavg()[0] ?? NaN) / availableParallelism();

const line = `${'step 1234 loss 0.123456 accuracy 0.9876 learning rate 0.001 '.padEnd(99, '.')}\n`;

/** Computes for `spins`, prints a chunk, again and again; tells the milliseconds it took in a file. */
const job = `
const fs = require('node:fs');
const chunk = Buffer.from(${JSON.stringify(line)}.repeat(${chunkBytes / line.length}));
const [spins, path] = [Number(process.argv[2]), process.argv[3]];
const start = performance.now();
let x = 1;
for (let count = 0; count < ${chunks}; count++) {
  for (let spin = 0; spin < spins; spin++) x = (x * 1103515245 + 12345) % 2147483648;
  for (let done = 0; done < chunk.length; ) done += fs.writeSync(1, chunk, done);
}
fs.writeFileSync(path, String(performance.now() - start) + ' ' + x);
`;

async function main(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-bench-'));
  try {
    const script = join(directory, 'job.cjs');
    await writeFile(script, job);
    const spins = await calibrate(script, directory);
    const pairs: { alone: number; logged: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      pairs.push({
        alone: await runAlone(script, spins, directory),
        logged: await runLogged(`node ${script} ${spins} ${directory}/took`, directory),
      });
    }
    const floodSeconds =
      (await timed(() =>
        runLogged(`yes '${line.trimEnd()}' | head -c ${floodBytes}; echo 0 > ${directory}/took`, directory),
      )) / 1000;
    report(pairs, floodSeconds);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function report(pairs: { alone: number; logged: number }[], floodSeconds: number): void {
  const slowdown = median(pairs.map(({ alone, logged }) => logged / alone)) - 1;
  finish({
    rounds: pairs.map(({ alone, logged }) => ({ aloneMs: Math.round(alone), loggedMs: Math.round(logged) })),
    summary: {
      printedMegabytesPerSecond: (chunks * chunkBytes) / 1000 / median(pairs.map(({ logged }) => logged)),
      slowdownPercent: slowdown * 100,
      aimSlowdownPercent: 5,
      floodMegabytesPerSecond: floodBytes / 1e6 / floodSeconds,
      loadPerCoreBefore: loadBefore,
    },
  });
}

/** How much to compute between two chunks, so that the job alone prints as much as is aimed at. */
async function calibrate(script: string, directory: string): Promise<number> {
  const guess = 1_000_000;
  const tookMs = await runAlone(script, guess, directory);
  return Math.round((guess * ((chunks * chunkBytes) / aimBytesPerSecond) * 1000) / tookMs);
}

async function runAlone(script: string, spins: number, directory: string): Promise<number> {
  const child = spawn(process.execPath, [script, String(spins), join(directory, 'took')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await new Promise((done) => child.on('exit', done));
  return took(directory);
}

/** Runs the command under a runner whose broker takes all and looks at nothing. */
async function runLogged(command: string, directory: string): Promise<number> {
  const assignment = assignmentOf({ spec: { name: 'bench', command }, heartbeatSeconds: 1 });
  let seen: Report | undefined;
  const server = createServer((request, response) => {
    void drain(request).then((body) => {
      if (request.url === '/v1/runner/report') seen = JSON.parse(body.toString()) as Report;
      const isCall = request.url === '/v1/runner/claim' || request.url === '/v1/runner/heartbeat';
      const answer =
        request.url === '/v1/runner/claim' ? assignment : { directive: 'continue', reason: null, rendezvous: null };
      response.writeHead(isCall ? 200 : 204).end(isCall ? JSON.stringify(answer) : undefined);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const place = await mkdtemp(join(directory, 'run-'));
  const boot: Boot = {
    brokerUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bootstrapToken: newToken(),
    stateDir: join(place, 'state'),
    workDir: join(place, 'work'),
    tmpDir: join(place, 'tmp'),
    hidden: [],
    address: '127.0.0.1',
    isolation: { kind: 'none' },
    toolDirs: [],
    env: { PATH: process.env['PATH'] ?? '' },
    ownsMachine: false,
  };
  const bootPath = join(place, 'boot.json');
  await writeFile(bootPath, JSON.stringify(boot), { mode: 0o600 });
  const runner = spawn(process.execPath, [resolve(import.meta.dirname, '../../src/runner/main.ts'), bootPath], {
    stdio: 'inherit',
  });
  await new Promise((done) => runner.on('exit', done));
  server.close();
  server.closeAllConnections();
  if (seen?.reason !== 'completed') throw new Error(`the job ended with ${seen?.reason}: ${seen?.message}`);
  return took(directory);
}

async function drain(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

async function took(directory: string): Promise<number> {
  return Number((await readFile(join(directory, 'took'), 'utf8')).split(' ')[0]);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

await main();
