import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createGcpProvider } from '../../src/providers/gcp/provider.ts';
import { builtInCatalogue } from '../../src/quotes/price-list.ts';
import { requestOf } from '../providers/gcp/requests.ts';
import { freePort } from '../support/free-port.ts';
import { withIdleCloud, type IdleCloud } from './cloud/idle-cloud.ts';
import { countLeft } from './dispatch/kueue-waits.ts';
import { cpuMs } from './processes.ts';
import { finish, percentile } from './summary.ts';

/**
 * How fast one worker launches on an emulated Google Cloud that boots at once, with at most a hundred jobs in flight, each of which
 * ends as soon as it runs: `--jobs=` in all, accepted before the worker starts. Beside it the same provider code, asked for bare
 * machines by a hundred callers: what Google's client and the emulator give at most on this machine.
 */
const jobs = Number(process.argv.find((word) => word.startsWith('--jobs='))?.slice('--jobs='.length) ?? 500);
const inFlight = 100;
const lookAgainMs = 250;

const summary = await withIdleCloud({ workMs: 0 }, async (idle) => {
  const bare = await bareLaunches(idle);
  const { cloud, installation, databaseUrl } = idle;
  await installation.start('api');
  const tenant = await installation.tenant('bench', 'member');
  await installation.operator.call('PUT', `/v1/tenants/${tenant.tenantId}/policy`, { caps: { runningJobs: inFlight } });
  await together(jobs, async () => {
    await tenant.submit({
      name: 'launch',
      command: 'true',
      resources: { accelerators: 'L4:1' },
      workload: { expectedDuration: '1s' },
    });
  });
  const callsBefore = cloud.calls.length;
  const startedAtMs = Date.now();
  const worker = await installation.start('worker', await freePort());
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    while ((await countLeft(client)) > 0) await sleep(lookAgainMs);
    const workerMs = await cpuMs(worker.pid);
    const delays = await readDelays(client, idle);
    const calls = Map.groupBy(cloud.calls.slice(callsBefore), ({ method }) => method);
    const inserted = cloud.instances
      .ever()
      .flatMap(({ insertedMs }) => (insertedMs >= startedAtMs ? [insertedMs] : []));
    const perSecond = ((inserted.length - 1) / (Math.max(...inserted) - Math.min(...inserted))) * 1000;
    return {
      jobs,
      launchesPerSecond: perSecond,
      bareLaunchesPerSecond: bare,
      ratio: perSecond / bare,
      admissionToInsertP50Ms: percentile(delays, 0.5),
      admissionToInsertP99Ms: percentile(delays, 0.99),
      workerCpuMsPerJob: workerMs / jobs,
      callsPerJob: [...calls.values()].reduce((sum, of) => sum + of.length, 0) / jobs,
      ...Object.fromEntries([...calls].map(([method, of]) => [`callsPerJob ${method}`, of.length / jobs])),
    };
  } finally {
    await client.end();
  }
});
finish({ summary });

/** As many as may be in flight at once. */
async function together(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

/** Their runners find no broker to ask, and end. */
async function bareLaunches({ cloud }: IdleCloud): Promise<number> {
  const runner = { url: 'https://storage.example.org/runner', sha256: 'a'.repeat(64) };
  const provider = await createGcpProvider({
    settings: {
      projectId: cloud.project,
      regions: ['us-central1'],
      network: 'default',
      apiEndpoint: cloud.url,
      keyFile: cloud.env.GOOGLE_APPLICATION_CREDENTIALS,
    },
    installation: 'bare',
    prices: async () => [...builtInCatalogue.offers('A100')],
    runner: async () => runner,
    onError: (error) => process.stderr.write(`${String(error)}\n`),
  });
  const startedAt = performance.now();
  await together(jobs, async () => {
    await provider.create(requestOf({ name: `bare-${randomUUID()}`, brokerUrl: '' }));
  });
  const elapsedMs = performance.now() - startedAt;
  await provider.close();
  return (jobs / elapsedMs) * 1000;
}

/** From the moment at which a cycle admitted the job to the emulator's receipt of the call that asks for its machine. */
async function readDelays(client: pg.Client, { cloud }: IdleCloud): Promise<number[]> {
  const { rows } = await client.query<{ name: string; at: Date }>(
    `SELECT name, attempt.created_at AS at FROM instance JOIN attempt ON attempt.id = attempt_id`,
  );
  const admitted = new Map(rows.map(({ name, at }) => [name, at.getTime()]));
  return cloud.instances.ever().flatMap(({ name, insertedMs }) => {
    const at = admitted.get(name);
    return at === undefined ? [] : [insertedMs - at];
  });
}
