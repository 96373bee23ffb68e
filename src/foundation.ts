import { join } from 'node:path';
import type { Bucket } from './artifacts/bucket.ts';
import { createFilesystemBucket, type FilesystemBucket } from './artifacts/filesystem-bucket.ts';
import { createGcsBucket } from './artifacts/gcs-bucket.ts';
import { joinBuckets } from './artifacts/joined-buckets.ts';
import { createRunnerPublisher } from './artifacts/runner-executable.ts';
import { residenceIn, type BucketRegions, type Residence } from './artifacts/residence.ts';
import { bucketRegionsOf, type Config } from './config.ts';
import { newId } from './core/ids.ts';
import { openDatabase, type Database } from './db/database.ts';
import { settle as settleSetting } from './db/settings.ts';
import { createThrottle } from './dispatch/throttle.ts';
import type { WakeLaunch } from './instances/launch.ts';
import { createStop, type Stop } from './jobs/stop.ts';
import { hostPetaflopsPerCore } from './providers/local/peak-rate.ts';
import type { PricedMachine, Provider, RunnerExecutable } from './providers/provider.ts';
import type { createProviders } from './providers/registry.ts';
import { createQueues, type Queues } from './queue/queue.ts';
import { computePetaflopsPerAccelerator } from './quotes/catalogue.ts';
import type { Catalogue } from './quotes/price-list.ts';
import { createCurrentCatalogue } from './quotes/refresh-prices.ts';
import { bindingPolicy } from './tenants/lineage.ts';
import { beginPoolPolicy, currentLineage } from './tenants/policies.ts';

/** What the API and the worker both stand on. */
export type Foundation = {
  config: Config;
  db: Database;
  queues: Queues;
  providers: Provider[];
  bucket: Bucket | FilesystemBucket;
  residence: Residence;
  installation: string;
  now: () => Date;
  petaflopsPerAccelerator: (kind: string) => number;
  wakeDispatch: () => void;
  wakeLaunch: WakeLaunch;
  wakeSettle: (attemptId: string, delayMs?: number) => Promise<void>;
  wakeCalibrate: (jobId: string) => Promise<void>;
  wakeRollup: () => Promise<void>;
  wakePrices: () => Promise<void>;
  stop: Stop;
  onError: (error: unknown) => void;
};

export type MakeProviders = typeof createProviders;

type FoundationOptions = Pick<Foundation, 'config' | 'onError'> & { databaseUrl: string; makeProviders: MakeProviders };

export async function openFoundation({
  config,
  databaseUrl,
  onError,
  makeProviders,
}: FoundationOptions): Promise<Foundation> {
  const now = () => new Date();
  const db = openDatabase(databaseUrl);
  const installation = await settleSetting(db.client, 'installation', newId('installation'));
  if (config.policies.pool !== undefined) await beginPoolPolicy(db, config.policies.pool);
  const queues = await createQueues({ databaseUrl, redisUrl: config.redisUrl, onError });
  const bucket = await openBucket(config, now);
  const petaflopsPerCore = hostPetaflopsPerCore();
  const wakeSettle = (id: string, delayMs = 0) => queues.wake({ step: 'settle', id, version: 0, delayMs });
  const providers = await makeProviders({
    config,
    installation,
    prices: pricesFrom(createCurrentCatalogue(db, now)),
    runner: runnerFrom(config, bucket, now),
    onError,
  });
  const here = new Set(providers.filter(({ host }) => host !== undefined).map(({ name }) => name));
  return {
    config,
    db,
    queues,
    providers,
    bucket,
    residence: createResidence(db, bucketRegionsOf(config.bucket)),
    installation,
    now,
    petaflopsPerAccelerator: (kind) => computePetaflopsPerAccelerator(kind, petaflopsPerCore),
    wakeDispatch: createThrottle(
      () => void queues.wake({ step: 'dispatch', id: 'cycle', version: 0 }),
      dispatchThrottleMs,
    ),
    wakeLaunch: ({ id, provider }) =>
      queues.wake({ step: here.has(provider) ? 'launch-here' : 'launch', id, version: 0 }),
    wakeSettle,
    wakeCalibrate: (id) => queues.wake({ step: 'calibrate', id, version: 0 }),
    wakePrices: () => queues.wake({ step: 'prices', id: 'prices', version: 0 }),
    wakeRollup: () => queues.wake({ step: 'rollup', id: 'rollup', version: 0 }),
    stop: createStop({ db, now, wakeSettle }),
    onError,
  };
}

/** All that the catalogue has of a provider. */
function pricesFrom(catalogue: () => Promise<Catalogue>): (provider: string) => Promise<PricedMachine[]> {
  return async (provider) => {
    const { kinds, offers } = await catalogue();
    return [...kinds, 'cpu'].flatMap((kind) => offers(kind).filter((offer) => offer.provider === provider));
  };
}

/** As it is configured, else from our bucket. */
function runnerFrom({ gcp }: Config, bucket: Bucket, now: () => Date): () => Promise<RunnerExecutable> {
  const configured = gcp?.runner;
  if (configured !== undefined) return () => Promise.resolve(configured);
  return createRunnerPublisher({ bucket, directory: join(import.meta.dirname, '../dist/runner'), now });
}

/** A burst of submissions wakes the cycle so often and no oftener. */
const dispatchThrottleMs = 20;

async function openBucket(
  { bucket, dataDir, publicUrl, secretKey }: Config,
  now: () => Date,
): Promise<Bucket | FilesystemBucket> {
  if (bucket.kind !== 'gcs')
    return createFilesystemBucket({ directory: join(dataDir, 'buckets'), publicUrl, secretKey, now });
  const { elsewhere = [], ...home } = bucket;
  const others = await Promise.all(
    elsewhere.map(async ({ region, ...other }) => {
      const { kmsKey: _homeKey, ...common } = home;
      return [region, await createGcsBucket({ ...common, ...other })] as const;
    }),
  );
  return joinBuckets(await createGcsBucket(home), new Map(others));
}

/** Read once for each object that is made: where all lies in one bucket, not at all. */
function createResidence(db: Database, regions: BucketRegions): Residence {
  if (regions.elsewhere.length === 0) return async () => null;
  return async (tenantId) => residenceIn(bindingPolicy(await currentLineage(db.client, tenantId)).regions, regions);
}
