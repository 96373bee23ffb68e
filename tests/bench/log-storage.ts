import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createInstallation, ended } from '../support/service.ts';
import { finish, median } from './summary.ts';

/**
 * A job that prints 50 MB/s by the clock, through the whole of weir into PostgreSQL: how long it takes against the same
 * program printing to /dev/null, and how fast the log of one that only prints is stored.
 */
const megabytes = 250;
const rounds = 3;
const line = `${'step 1234 loss 0.123456 accuracy 0.9876 learning rate 0.001 '.padEnd(99, '.')}\n`;

const program = `
const fs = require('node:fs');
const chunk = Buffer.from(${JSON.stringify(line)}.repeat(5000));
const everyMs = Number(process.argv[2]);
const start = performance.now();
const rest = new Int32Array(new SharedArrayBuffer(4));
for (let count = 0; count < ${megabytes * 2}; count++) {
  const ahead = start + count * everyMs - performance.now();
  if (ahead > 1) Atomics.wait(rest, 0, 0, ahead);
  for (let done = 0; done < chunk.length; ) done += fs.writeSync(1, chunk, done);
}
fs.writeFileSync('took', String(performance.now() - start));
`;

const directory = await mkdtemp(join(tmpdir(), 'weir-bench-'));
await writeFile(join(directory, 'job.cjs'), program);
const installation = await createInstallation();
await installation.start();
const tenant = await installation.tenant('bench');

async function alone(): Promise<number> {
  await promisify(execFile)('/bin/sh', ['-c', 'node job.cjs 10 > /dev/null'], { cwd: directory });
  return Number(await readFile(join(directory, 'took'), 'utf8'));
}

/** Milliseconds by the job's own clock, and until all of its log was stored and it had ended. */
async function throughWeir(everyMs: number): Promise<{ jobMs: number; storedMs: number }> {
  const { id } = await tenant.submit({
    name: 'printing',
    command: ['node', 'job.cjs', String(everyMs)],
    files: { 'job.cjs': program },
    outputs: ['took'],
    resources: { cpus: 1, memoryGiB: 1, diskGiB: 2 },
  });
  const job = await tenant.until(id, ended, 120_000);
  if (job.state !== 'succeeded') throw new Error(`the job ended ${job.state}: ${job.message}`);
  const redirect = await tenant.call('GET', `/v1/jobs/${id}/artifacts/took`);
  const took = await fetch(redirect.headers.get('location') ?? '');
  return {
    jobMs: Number(await took.text()),
    storedMs: Date.parse(job.finishedAt ?? '') - Date.parse(job.startedAt ?? ''),
  };
}

const paced: { aloneMs: number; jobMs: number }[] = [];
for (let round = 0; round < rounds; round += 1) {
  const aloneMs = await alone();
  paced.push({ aloneMs, jobMs: (await throughWeir(10)).jobMs });
}
const flood = await throughWeir(0);
await installation.remove();
await rm(directory, { recursive: true, force: true });

finish({
  paced,
  flood,
  summary: {
    slowdownAt50MBPerSecond: median(paced.map(({ aloneMs, jobMs }) => jobMs / aloneMs)),
    storedMBPerSecond: megabytes / (flood.storedMs / 1000),
    takenMBPerSecond: megabytes / (flood.jobMs / 1000),
  },
});
