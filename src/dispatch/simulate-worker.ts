import { parentPort, workerData } from 'node:worker_threads';
import { measureOf, outcomeOf } from './simulate-outcome.ts';
import { simulate } from './simulate.ts';
import type { Scenario } from './simulate-jobs.ts';

/** The thread of one simulation: its scenario comes with it, its outcome goes back, and it ends. */
const scenario = workerData as Scenario;
const startedAt = performance.now();
const outcome = outcomeOf(simulate(scenario), measureOf(scenario));
parentPort?.postMessage({ outcome, elapsedSeconds: (performance.now() - startedAt) / 1000 });
