import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { everyPoint, openCrashWorld, type CrashWorld, type Point } from './cloud-points.ts';

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

/** Those where the most has been lost; `npm run bench -- crash-matrix` goes through all. */
const worst = [
  'plain compute.instances.insert after',
  'disk left compute.instances.delete after',
  'slice tpu.projects.locations.queuedResources.create after',
];
const nameOf = ({ story, method, phase }: Point) => `${story} ${method} ${phase}`;

test.each(everyPoint.filter((point) => worst.includes(nameOf(point))))(
  'kill -9 $phase $method, $story: the job ends once, nothing is left at Google, and the bill agrees',
  async (point) => {
    const { awaySeconds, ledgerSeconds, ...outcome } = await world.crash(point);
    expect(outcome).toEqual({ point, state: 'succeeded', completions: 1, machinesLeft: 0, disksLeft: 0 });
    // A machine that ended while nobody looked is charged until it is seen to be gone.
    expect(ledgerSeconds).toBeLessThan(awaySeconds + 10);
  },
  180_000,
);
