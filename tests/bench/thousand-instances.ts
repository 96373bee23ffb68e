import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { waitFor } from '../support/wait.ts';
import { withIdleCloud, type IdleCloud } from './cloud/idle-cloud.ts';
import { cpuMs, residentMiB } from './processes.ts';
import { finish, median } from './summary.ts';

/**
 * What a thousand running instances (`--instances=` for another number) cost the broker while nothing changes, on an emulated Google
 * Cloud whose runners idle; beside it a tenth of them. What a sweep takes is how much later than its rest the next one begins.
 */
const instances = Number(
  process.argv.find((word) => word.startsWith('--instances='))?.slice('--instances='.length) ?? 1_000,
);
const restMs = 30_000;
const sweepRestMs = 2_000;
const submitters = 32;
const dayMs = 86_400_000;
const upTimeoutMs = 600_000;

const [tenth, all] = await withIdleCloud({ workMs: dayMs }, async (idle) => {
  const { installation } = idle;
  const { pid } = await installation.start();
  const tenant = await installation.tenant('bench', 'member');
  const runTo = async (count: number): Promise<void> => {
    let submitted = idle.runners.running();
    const submit = async (): Promise<void> => {
      while (submitted < count) {
        submitted += 1;
        await tenant.submit({ name: 'idle', command: 'true', resources: { accelerators: 'L4:1' }, maxDuration: '1d' });
      }
    };
    await Promise.all(Array.from({ length: submitters }, submit));
    await waitFor(`${count} runners`, async () => (await countRunning(idle)) === count, upTimeoutMs);
  };
  const upAt = performance.now();
  await runTo(Math.ceil(instances / 10));
  const few = await measure(idle, pid);
  await runTo(instances);
  const many = await measure(idle, pid);
  process.stderr.write(`  ${instances} instances after ${Math.round((performance.now() - upAt) / 1000)} s\n`);
  return [few, many];
});

finish({
  tenth,
  all,
  summary: {
    instances,
    sweepMs: all.sweepMs,
    sweepMsOfATenth: tenth.sweepMs,
    sweepGrowth: all.sweepMs / tenth.sweepMs,
    heartbeatsPerSecond: all.heartbeatsPerSecond,
    residentMiB: all.residentMiB,
    residentMiBOfATenth: tenth.residentMiB,
    cpuPercent: all.cpuPercent,
    cpuPercentOfATenth: tenth.cpuPercent,
    cpuMsPerHeartbeat: (all.cpuPercent * 10) / all.heartbeatsPerSecond,
    ledgerLines: all.ledgerLines,
    ledgerLinesIfOneAMinute: (instances * restMs) / 60_000,
  },
});

async function countRunning({ databaseUrl }: IdleCloud): Promise<number> {
  return ask(databaseUrl, `SELECT count(*)::int AS count FROM attempt WHERE state = 'running'`);
}

async function ask(databaseUrl: string, question: string): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<{ count: number }>(question)).rows[0]?.count ?? NaN;
  } finally {
    await client.end();
  }
}

async function measure({ cloud, runners, databaseUrl }: IdleCloud, pid: number) {
  // What the launches left behind is not of the rest.
  await sleep(2 * sweepRestMs);
  const lines = () => ask(databaseUrl, 'SELECT count(*)::int AS count FROM ledger_entry');
  const before = { cpu: await cpuMs(pid), beats: runners.heartbeats(), lines: await lines(), at: Date.now() };
  await sleep(restMs);
  const elapsedMs = Date.now() - before.at;
  const lists = cloud.calls.filter(
    ({ method, atMs }) => method === 'compute.instances.aggregatedList' && atMs >= before.at,
  );
  return {
    sweepMs: sweepOf(lists.map(({ atMs }) => atMs)),
    heartbeatsPerSecond: ((runners.heartbeats() - before.beats) / elapsedMs) * 1000,
    cpuPercent: (((await cpuMs(pid)) - before.cpu) / elapsedMs) * 100,
    residentMiB: await residentMiB(pid),
    ledgerLines: (await lines()) - before.lines,
  };
}

/** A sweep lists first of all, page by page. */
function sweepOf(listedMs: number[]): number {
  const begins = listedMs.filter((atMs, index) => atMs - (listedMs[index - 1] ?? 0) > sweepRestMs / 2);
  return median(begins.slice(1).map((atMs, index) => atMs - (begins[index] ?? NaN) - sweepRestMs));
}
