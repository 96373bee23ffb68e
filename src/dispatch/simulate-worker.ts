import { parentPort, workerData } from 'node:worker_threads';
import { outcomeOf } from './simulate-outcome.ts';
import { simulate } from './simulate.ts';
import type { Scenario } from './simulate-jobs.ts';

/** The thread of one simulation: its scenario comes with it, its outcome goes back, and it ends. */
const scenario = workerData as Scenario;
const { policies, poolPetaflops } = scenario;
const startedAt = performance.now();
const outcome = outcomeOf(simulate(scenario), {
  weightOf: (tenantId) => policies.get(tenantId)?.weight ?? 1,
  poolPetaflops,
});
parentPort?.postMessage({ outcome, elapsedSeconds: (performance.now() - startedAt) / 1000 });
