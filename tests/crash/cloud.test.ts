import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { openCrashWorld, type CrashWorld, type Point } from './cloud-points.ts';

let world: CrashWorld;
let drop: () => Promise<void>;

beforeAll(async () => {
  const database = await createDatabase();
  drop = database.drop;
  world = await openCrashWorld(database.url);
}, 180_000);
afterAll(async () => {
  await world?.close();
  await drop?.();
});

/** A machine and a slice that Google has and weir was never told of; each start of the service costs seconds. `npm run bench -- crash-matrix` has every call. */
const worst: Point[] = [
  { story: 'disk left', method: 'compute.instances.insert', phase: 'after' },
  { story: 'slice', method: 'tpu.projects.locations.queuedResources.create', phase: 'after' },
];

test.each(worst)(
  'kill -9 $phase $method, $story: the job ends once, nothing is left at Google, and the bill agrees',
  async (point) => {
    const { awaySeconds, ledgerSeconds, ...outcome } = await world.crash(point);
    expect(outcome).toEqual({ point, state: 'succeeded', completions: 1, machinesLeft: 0, disksLeft: 0 });
    // A machine that ended while nobody looked is charged until it is seen to be gone.
    expect(ledgerSeconds).toBeLessThan(awaySeconds + 10);
  },
  180_000,
);
