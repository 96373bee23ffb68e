import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createInstallation } from '../support/service.ts';
import { finish, median, percentile } from './summary.ts';

/**
 * From the submission to the first line of the job's output as a follower sees it, on the idle local provider; beside it
 * what starting a bare Node program takes, since a runner is one.
 */
const runs = 20;
const installation = await createInstallation();
await installation.start();
const tenant = await installation.tenant('bench');

async function firstLineMs(): Promise<number> {
  const started = performance.now();
  const { id } = await tenant.submit({
    name: 'echo',
    command: 'echo first',
    resources: { cpus: 0.5, memoryGiB: 0.25, diskGiB: 0.25 },
  });
  const response = await fetch(`${installation.url}/v1/jobs/${id}/logs`, {
    headers: { authorization: `Bearer ${tenant.key}`, accept: 'text/event-stream' },
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ''; reader !== undefined && !text.includes('"first"');) text += (await reader.read()).value ?? '';
  const elapsedMs = performance.now() - started;
  await reader?.cancel();
  await tenant.until(id, ['succeeded']);
  return elapsedMs;
}

async function bareNodeMs(): Promise<number> {
  const started = performance.now();
  await promisify(execFile)(process.execPath, ['-e', 'console.log("first")']);
  return performance.now() - started;
}

await firstLineMs();
const measured: { weir: number; node: number }[] = [];
for (let run = 0; run < runs; run += 1) measured.push({ weir: await firstLineMs(), node: await bareNodeMs() });
await installation.remove();

const weir = measured.map((run) => run.weir);
finish({
  runs: measured,
  summary: {
    firstLineP50Ms: median(weir),
    firstLineP99Ms: percentile(weir, 0.99),
    bareNodeP50Ms: median(measured.map(({ node }) => node)),
    ratio: median(measured.map((run) => run.weir / run.node)),
  },
});
