import type { Job } from '../../src/protocol/job.ts';
import { sliceIdOf } from '../../src/providers/gcp/slice-body.ts';
import { startGcpEmulator, type GcpEmulator } from '../emulators/gcp/emulator.ts';
import type { Phase } from '../emulators/gcp/faults.ts';
import { createIdleRunners, type IdleRunners } from '../emulators/idle-runner.ts';
import { providersOf } from '../emulators/weir-cloud.ts';
import { createInstallation, ended, type Client, type Installation, type ServiceProcess } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';

/** What befalls the job apart from the kill. */
type Story = 'plain' | 'stockout' | 'evicted' | 'disk left' | SliceStory;
/** The same of a TPU slice of several hosts, whose request is over before there is capacity in the first zone. */
type SliceStory = 'slice' | 'slice expired' | 'slice evicted';

/** Where the service is killed: before a call reaches Google, or when it is done and not answered. */
export type Point = { story: Story; method: string; zone?: string; phase: Phase };

/** A shortage is remembered by machine type: each story that has one is told of another kind than the one before. */
const kinds = ['L4:1', 'T4:1', 'V100:1', 'P100:1', 'A100:1', 'A100-80GB:1'];
const slices = ['v5p-32', 'v5p-64', 'v3-32', 'v3-64', 'v5p-128', 'v3-128'];
let shortages = 0;

const isOfSlice = (story: Story): story is SliceStory => story.startsWith('slice');
const queued = 'tpu.projects.locations.queuedResources';
const nodes = 'tpu.projects.locations.nodes';

const phases: Phase[] = ['before', 'after'];
const both = (point: Omit<Point, 'phase'>): Point[] => phases.map((phase) => ({ ...point, phase }));
const [a, b] = ['us-central1-a', 'us-central1-b'];

/** Every call that a job makes of Google, as it goes well, and as it goes where Google has none, takes back, or leaves a disk. */
export const everyPoint: Point[] = [
  ...both({ story: 'plain', method: 'compute.instances.insert' }),
  ...both({ story: 'plain', method: 'compute.zoneOperations.wait' }),
  ...both({ story: 'plain', method: 'compute.instances.aggregatedList' }),
  ...both({ story: 'plain', method: 'compute.disks.aggregatedList' }),
  ...both({ story: 'plain', method: 'compute.instances.delete' }),
  ...both({ story: 'stockout', method: 'compute.instances.insert', zone: a }),
  ...both({ story: 'stockout', method: 'compute.zoneOperations.wait', zone: a }),
  ...both({ story: 'stockout', method: 'compute.instances.insert', zone: b }),
  ...both({ story: 'evicted', method: 'compute.instances.insert', zone: b }),
  ...both({ story: 'evicted', method: 'compute.zoneOperations.wait', zone: b }),
  ...both({ story: 'disk left', method: 'compute.instances.delete' }),
  ...both({ story: 'disk left', method: 'compute.disks.delete' }),
  ...both({ story: 'slice', method: `${queued}.create` }),
  ...both({ story: 'slice', method: `${queued}.get` }),
  ...both({ story: 'slice', method: `${queued}.list` }),
  ...both({ story: 'slice', method: `${nodes}.list` }),
  ...both({ story: 'slice', method: `${queued}.delete` }),
  // Each host asks for the end of the slice: the second finds no request any more, and asks for that of the node.
  ...both({ story: 'slice', method: `${nodes}.delete` }),
  ...both({ story: 'slice expired', method: `${queued}.get`, zone: a }),
  ...both({ story: 'slice expired', method: `${queued}.delete`, zone: a }),
  ...both({ story: 'slice expired', method: `${queued}.create`, zone: b }),
  ...both({ story: 'slice evicted', method: `${queued}.delete` }),
  ...both({ story: 'slice evicted', method: `${queued}.create`, zone: b }),
];

export type Outcome = {
  point: Point;
  state: Job['state'];
  /** Reports of completion that the broker took, for each host: more than one is a job that ran twice. */
  completions: number;
  machinesLeft: number;
  disksLeft: number;
  /** How far our seconds are from Google's, over all attempts; the service was away for `awaySeconds`. */
  ledgerSeconds: number;
  awaySeconds: number;
};

export type CrashWorld = {
  cloud: GcpEmulator;
  crash: (point: Point) => Promise<Outcome>;
  close: () => Promise<void>;
};

/** So soon the request for a slice is over that no zone has capacity for. */
const timing = { secondMs: 20 };
const capacityWaitSeconds = 30;

/** A service on an emulated Google Cloud whose machines are records, their runners idle. */
export async function openCrashWorld(databaseUrl: string): Promise<CrashWorld> {
  const runners = createIdleRunners({ workMs: 400, heartbeatMs: 100 });
  const cloud = await startGcpEmulator({
    machines: 'records',
    timing,
    tpus: { [a]: ['v3', 'v5p'], [b]: ['v3', 'v5p'] },
    onStart: runners.start,
    onStop: runners.stop,
  });
  const installation = await createInstallation({
    databaseUrl,
    config: {
      providers: {
        ...providersOf(cloud),
        gcp: {
          ...providersOf(cloud).gcp,
          kinds: ['H100', ...kinds.map((kind) => kind.split(':')[0]), 'v3', 'v5p'],
          capacityWaitSeconds,
          runner: { url: 'https://storage.example.org/runner', sha256: 'a'.repeat(64) },
        },
      },
    },
  });
  let service = await installation.start();
  const alice = await installation.tenant('alice');
  const world = { cloud, runners, alice, installation };
  return {
    cloud,
    crash: async (point) => {
      const { outcome, next } = await crashAt(point, service, world);
      service = next;
      return outcome;
    },
    close: async () => {
      runners.close();
      await installation.remove();
      await cloud.close();
    },
  };
}

type World = { cloud: GcpEmulator; runners: IdleRunners; alice: Client; installation: Installation };

async function crashAt(
  point: Point,
  service: ServiceProcess,
  { cloud, runners, alice, installation }: World,
): Promise<{ outcome: Outcome; next: ServiceProcess }> {
  const { story, method, zone, phase } = point;
  if (hasShortage(story)) cloud.faults.stockout({ zone: a, times: 1, zonesAvailable: [b] });
  let killedAtMs = 0;
  const submission = Promise.withResolvers<undefined>();
  cloud.faults.interrupt({ method, ...(zone === undefined ? {} : { zone }) }, phase, async () => {
    await submission.promise;
    killedAtMs = Date.now();
    await service.kill('SIGKILL');
  });
  const { id } = await alice.submit({
    name: 'crash',
    command: 'true',
    resources: { accelerators: acceleratorsOf(story), market: 'spot' },
    maxDuration: '10m',
  });
  submission.resolve(undefined);
  const name = `weir-${id.replace(/^job_/, '')}-1-0`;
  if (story === 'disk left') cloud.faults.leaveDisk(name);
  await evictIn(story, name, cloud);
  await waitFor(`${method} to be called`, () => killedAtMs > 0, 60_000);
  const next = await installation.start();
  const awaySeconds = (Date.now() - killedAtMs) / 1000;
  const job = await alice.until(id, ended, 90_000);
  // What a sweep does not know it removes at its next turn.
  await waitFor('nothing to be left', () => leftIn(cloud) + cloud.disks().length === 0, 30_000).catch(() => undefined);
  cloud.faults.clear();
  const outcome: Outcome = {
    point,
    state: job.state,
    // What a host is answered can be lost with it: with the last report its machine may go.
    completions: Math.ceil((runners.completions.get(id) ?? 0) / (job.attempts.at(-1)?.offer.nodes ?? 1)),
    machinesLeft: leftIn(cloud),
    disksLeft: cloud.disks().length,
    ledgerSeconds: job.attempts.reduce(
      (sum, { costUsd, residualUsd, offer, instance }) =>
        sum + Math.abs(((costUsd + residualUsd) / offer.hourlyUsd) * 3600 - secondsOf(story, instance ?? '', cloud)),
      0,
    ),
    awaySeconds,
  };
  return { outcome, next };
}

const hasShortage = (story: Story) => story === 'stockout' || story === 'slice expired';

function acceleratorsOf(story: Story): string {
  const others = isOfSlice(story) ? slices : kinds;
  if (hasShortage(story)) return others[shortages++ % others.length] ?? '';
  return isOfSlice(story) ? 'v5p-16' : 'H100:1';
}

/** Machines, queued resources and nodes that Google still has. */
function leftIn(cloud: GcpEmulator): number {
  return cloud.instances.all().length + cloud.slices.all().length;
}

function secondsOf(story: Story, instance: string, cloud: GcpEmulator): number {
  return isOfSlice(story) ? cloud.slices.runningSeconds(sliceIdOf(instance)) : cloud.runningSeconds(instance);
}

/** Takes back the first machine, as soon as it is there, where the story says so. */
async function evictIn(story: Story, name: string, cloud: GcpEmulator): Promise<void> {
  if (story === 'evicted') {
    await waitFor('the first machine', () => cloud.instances.ever().some((instance) => instance.name === name));
    await cloud.evict(name, 0);
  }
  if (story === 'slice evicted') {
    const id = sliceIdOf(name);
    await waitFor('the first slice', () =>
      cloud.slices.ever().some((slice) => slice.id === id && slice.runs.length > 0),
    );
    await cloud.slices.evict(id, 0);
  }
}
