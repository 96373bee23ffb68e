import { Worker } from 'node:worker_threads';
import { WeirError } from '../core/errors.ts';
import type { SimulationOutcome } from '../protocol/simulation.ts';
import type { Scenario } from './simulate-jobs.ts';

type Simulated = { outcome: SimulationOutcome; elapsedSeconds: number };

export type SimulateApart = (scenario: Scenario) => Promise<Simulated>;

const limitMs = 60_000;
const memoryMiB = 1024;
/** Each takes a core of those that the API and its database live on. */
const atOnce = 2;

/**
 * Runs a simulation in a thread of its own, so that the API answers others meanwhile.
 * @throws WeirError `unavailable` where others are under way, `too-large` for one that takes too long.
 */
export function createSimulateApart(): SimulateApart {
  let underWay = 0;
  return async (scenario) => {
    if (underWay >= atOnce)
      throw new WeirError('unavailable', `${underWay} simulations are under way; try again when one has ended.`);
    underWay += 1;
    try {
      return await simulateIn(scenario);
    } finally {
      underWay -= 1;
    }
  };
}

async function simulateIn(workerData: Scenario): Promise<Simulated> {
  const worker = new Worker(new URL('./simulate-worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: memoryMiB },
  });
  const tooLarge = (cause?: unknown) =>
    new WeirError(
      'too-large',
      `The simulation takes more than ${limitMs / 1000} s or ${memoryMiB} MiB: choose a shorter period, or use \`npm run simulate\`.`,
      { cause },
    );
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Simulated>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', (error: NodeJS.ErrnoException) =>
        reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooLarge(error) : error),
      );
      timer = setTimeout(() => reject(tooLarge()), limitMs);
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
