import { expect } from 'vitest';
import type { Artifact, Job, JobEvent } from '../../src/protocol/job.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import type { Client } from '../support/service.ts';

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

/** A job that shows what was done twice, and what was lost. */
export const countingJob = (steps: number) =>
  ({
    name: 'counting',
    command: ['node', 'count.cjs'],
    files: { 'count.cjs': counting(steps) },
    outputs: ['out/'],
    checkpoints: { path: 'ckpt/' },
    resources: { cpus: 0.25, memoryGiB: 0.25, diskGiB: 0.25 },
  }) satisfies JobSpec;

/** It went through each state once, said each number once, in order, and left its artifacts. */
export async function expectRunOnce(client: Client, id: string, steps: number): Promise<void> {
  const job = await client.job(id);
  expect(job).toMatchObject({ state: 'succeeded', reason: 'completed', cost: { reservedUsd: 0 } });
  expect(job.attempts).toHaveLength(1);
  const events = await client.get<{ items: JobEvent[] }>(`/v1/jobs/${id}/events`);
  const states: Job['state'][] = ['queued', 'provisioning', 'running', 'stopping', 'succeeded'];
  expect(events.items.flatMap(({ to }) => to ?? [])).toEqual(states);

  const said = (await client.log(id)).filter(({ stream }) => stream === 'stdout').map(({ text }) => text);
  expect(said).toEqual(Array.from({ length: steps }, (_, index) => `step ${index + 1}`));
  const { items } = await client.get<{ items: Artifact[] }>(`/v1/jobs/${id}/artifacts`);
  expect(items.map(({ path }) => path).toSorted()).toEqual(['ckpt/n', 'out/n']);
}
