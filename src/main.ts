import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startApi, startHealth } from './api.ts';
import { ConfigError, configExitCode, loadConfig, type Config } from './config.ts';
import { startCluster, type Cluster } from './db/cluster.ts';
import { migrate } from './db/migrate.ts';
import { openFoundation, type Foundation, type MakeProviders } from './foundation.ts';
import { createProviders } from './providers/registry.ts';
import { startWorker } from './worker.ts';

const modes = ['api', 'worker', 'both'] as const;
export type Mode = (typeof modes)[number];

export type Service = {
  /** What an operator should read at start. */
  notices: string[];
  close: () => Promise<void>;
};

export type StartOptions = { makeProviders?: MakeProviders; askedToStop?: AbortSignal };

/**
 * Builds and joins everything, once. `api`, `worker` or both in one process. Machines come from the providers that the configuration
 * names, unless the caller makes others. Asked to stop meanwhile, it answers
 * undefined after the step that it is at.
 */
export async function startService(
  config: Config,
  mode: Mode,
  onError: (error: unknown) => void,
  { makeProviders = createProviders, askedToStop }: StartOptions = {},
): Promise<Service | undefined> {
  const cluster = config.databaseUrl === undefined ? await startCluster(join(config.dataDir, 'postgres')) : undefined;
  try {
    askedToStop?.throwIfAborted();
    const databaseUrl = config.databaseUrl ?? cluster?.url ?? '';
    await migrate(databaseUrl);
    askedToStop?.throwIfAborted();
    const foundation = await openFoundation({ config, databaseUrl, onError, makeProviders });
    return await startOn(foundation, mode, cluster);
  } catch (error) {
    // What did not start leaves nothing running, unless another weir had it running before.
    if (cluster?.isStartedHere === true) await cluster.stop();
    if (askedToStop?.aborted === true) return undefined;
    throw error;
  }
}

async function startOn(foundation: Foundation, mode: Mode, cluster: Cluster | undefined): Promise<Service> {
  const closeApi = await (mode === 'worker' ? startHealth(foundation) : startApi(foundation)).catch(
    async (error: unknown) => {
      await foundation.queues.close();
      await foundation.db.close();
      throw error;
    },
  );
  const closeWorker = mode === 'api' ? undefined : await startWorker(foundation, mode === 'both');
  return {
    notices: foundation.providers.flatMap(({ notice }) => notice ?? []),
    close: async () => {
      const closeParts = async () => {
        // The API last: runners that leave with the worker still have something to say.
        await closeWorker?.();
        await foundation.queues.close();
        await closeApi();
        await Promise.all(foundation.providers.map((provider) => provider.close()));
        await foundation.db.close();
      };
      try {
        await Promise.race([closeParts(), sleep(partsTimeoutMs, undefined, { ref: false })]);
      } finally {
        await cluster?.stop();
      }
    },
  };
}

function report(error: unknown): void {
  const entry = {
    level: 'error',
    time: new Date().toISOString(),
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    ...(error instanceof Error && error.cause instanceof Error ? { cause: error.cause.message } : {}),
  };
  process.stderr.write(`${JSON.stringify(entry)}\n`);
}

/** Nothing may keep a stopping service longer than this; of it the last second is for PostgreSQL. */
const closeTimeoutMs = 9_500;
const partsTimeoutMs = closeTimeoutMs - 1_000;

/**
 * Aborted at the first SIGINT or SIGTERM; the process has ended `closeTimeoutMs` later, whatever then keeps it. Further
 * signals change nothing: npm sends on what the terminal has sent already. To be called before anything is started, so
 * that a signal during the start leaves nothing behind either.
 */
export function listenForStop(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    setTimeout(() => process.exit(1), closeTimeoutMs).unref();
    controller.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  return controller.signal;
}

async function main(modeName = 'both'): Promise<void> {
  const mode = modes.find((known) => known === modeName);
  if (mode === undefined)
    throw new ConfigError([`"${modeName}" is no way to start weir; leave it out, or say api or worker.`]);
  const config = loadConfig(process.env);
  const askedToStop = listenForStop();
  const service = await startService(config, mode, report, { askedToStop });
  if (service === undefined) return;
  for (const notice of service.notices) process.stdout.write(`${notice}\n`);
  process.stdout.write(`weir is ready: ${mode === 'worker' ? 'worker' : config.publicUrl}\n`);
  if (!askedToStop.aborted) await once(askedToStop, 'abort');
  await service.close();
}

if (import.meta.main) {
  await main(process.argv[2]).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(error instanceof ConfigError ? configExitCode : 1);
  });
  process.exit(0);
}
