import { join } from 'node:path';
import { ConfigError, type Config } from '../../config.ts';
import type { Clock } from '../../core/time.ts';
import type { InstanceRequest, Provider } from '../provider.ts';
import { measureCoreRate } from './core-rate.ts';
import { evacuate } from './evacuate.ts';
import type { HostEnvironment } from './environment.ts';
import { createInstance, endInstance, listInstances, type InstanceOptions } from './instances.ts';
import { chooseIsolation, describeIsolation } from './isolation.ts';
import { measureCapacity, sellablesOf, writtenBytes } from './machine.ts';
import { openPlaces } from './places.ts';
import { tidy } from './remove.ts';
import { warmUp } from './start.ts';

export type LocalProviderOptions = {
  dataDir: string;
  installation: string;
  hostId: string;
  config: Config['local'];
  /** How long a job has between SIGTERM and SIGKILL. */
  graceMs: number;
  /** The environment of the service, of which jobs see a little. */
  hostEnv: HostEnvironment;
  /** Files of weir's own outside of its directories. */
  ownFiles: string[];
  /** Told of files that could not be removed; it is tried again. */
  onError: (error: unknown) => void;
  runnerPath?: string;
  now?: Clock;
};

const installationDir = join(import.meta.dirname, '../../..');
const ownRunner = join(installationDir, 'src/runner/main.ts');
/** Where the documentation has operators keep weir's settings and keys. */
const settingsDir = '/etc/weir';

/**
 * This machine as a provider: an instance is a runner process, started so that it outlives weir.
 * @throws ConfigError where the configuration asks for what this machine can't do.
 */
export async function createLocalProvider(options: LocalProviderOptions): Promise<Provider> {
  const { dataDir, installation, config, now = () => new Date() } = options;
  if (process.platform !== 'linux')
    throw new ConfigError([
      'providers.local needs Linux; set providers.local.enabled to false to use other providers.',
    ]);
  const isolation = await chooseIsolation(config.isolation);
  const places = await openPlaces({
    dataDir,
    installation,
    workDir: config.workDir,
    switchesUid: isolation.switchesUid,
  });
  const instanceOptions: InstanceOptions = {
    places,
    isolation,
    runnerPath: options.runnerPath ?? ownRunner,
    hostEnv: options.hostEnv,
    passEnv: config.passEnv ?? [],
    hidden: [dataDir, places.workRoot, installationDir, settingsDir, ...options.ownFiles],
    graceMs: options.graceMs,
    now,
  };
  const tidyUp = oneAtATime(() => tidy(places, options.onError).catch(options.onError));
  // Before the first new job: files that a former weir left may belong to a uid that is given out again.
  await listInstances(instanceOptions);
  await tidyUp();
  const capacity = await measureCapacity(config, places.workRoot, await writtenBytes(places.jobs));
  const coreRate = measureCoreRate(options);
  const warmedUp = warmUp(instanceOptions).catch(options.onError);

  return {
    name: 'local',
    host: options.hostId,
    isolatesTenants: isolation.kind !== 'none',
    notice: describeIsolation(isolation),
    sellables: async () => {
      const today = now().toISOString().slice(0, 10);
      return sellablesOf(capacity, config, today, await coreRate.rate);
    },
    capacity: () => Promise.resolve(capacity),
    create: joined((request) => createInstance(request, instanceOptions)),
    destroy: ({ name }) => endInstance(name, instanceOptions),
    list: async () => {
      const seen = await listInstances(instanceOptions);
      // Not awaited: a large working directory takes its time, and what is seen does not depend on it.
      void tidyUp();
      return seen;
    },
    evacuate: () => evacuate(instanceOptions),
    close: async () => {
      await coreRate.kept;
      await warmedUp;
      await tidyUp();
    },
  };
}

/** Of calls for one name at the same time, the later ones join the first. */
function joined(create: (request: InstanceRequest) => Promise<void>): Provider['create'] {
  const creating = new Map<string, Promise<void>>();
  return async (request) => {
    const current = creating.get(request.name) ?? create(request).finally(() => creating.delete(request.name));
    creating.set(request.name, current);
    await current;
    return undefined;
  };
}

/** Joins a run that is under way instead of starting another. */
function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work().finally(() => (running = undefined)));
}
