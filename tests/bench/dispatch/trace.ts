import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import type { Order, Scenario } from '../../../src/dispatch/simulate-jobs.ts';
import { outcomeOf } from '../../../src/dispatch/simulate-outcome.ts';
import { parseSwf, type SwfTrace } from '../../../src/dispatch/simulate-swf.ts';
import { traceScenario, type DurationSource } from '../../../src/dispatch/simulate-trace.ts';
import { simulate } from '../../../src/dispatch/simulate.ts';

const loads = [0.7, 0.9, 1.1];

/** Plain FIFO without backfill, fair share without entry charge, and weir's rules; each told what was predicted. */
const rules: { name: string; order: Order; backfill: boolean }[] = [
  { name: 'fifo', order: 'fifo', backfill: false },
  { name: 'fair share, no entry charge', order: 'no-entry-charge', backfill: true },
  { name: 'weir', order: 'weir', backfill: true },
];

/** The NASA iPSC/860 log of the Parallel Workloads Archive, in the clean version: the path of its file is given. */
export async function benchTrace(path: string) {
  const trace = parseSwf(gunzipSync(await readFile(path)).toString());
  const measured = [];
  for (const load of loads) {
    for (const { name, order, backfill } of rules)
      measured.push({
        load,
        rules: name,
        durations: 'predicted',
        ...measure({ ...scenarioOf(trace, load, 'predicted'), order, backfill }),
      });
    for (const durations of ['declared', 'perfect'] as const)
      measured.push({ load, rules: 'weir', durations, ...measure(scenarioOf(trace, load, durations)) });
  }
  return measured;
}

/** The trace holds no declared durations: they are modelled here. */
function scenarioOf(trace: SwfTrace, load: number, durations: DurationSource): Scenario {
  const processors = trace.maxProcessors ?? 128;
  const jobs =
    durations === 'declared' ? trace.jobs.map((job) => ({ ...job, requestedSeconds: declared(job) })) : trace.jobs;
  return traceScenario({ ...trace, jobs }, { tenants: 'user', durations, processors, load });
}

/**
 * What a user might have declared: the runtime times a factor spread evenly from 1 to 5, up to the next of the round values that
 * users choose. After the "f model" of Mu'alem and Feitelson (IEEE TPDS 12(6), 2001), which spreads it evenly, and Tsafrir's
 * finding that most declare one of few values. The factor follows from the job's number, so each run has the same.
 */
function declared({ number, runSeconds }: { number: number; runSeconds: number }): number {
  const spread = ((number * 2654435761) % 2 ** 32) / 2 ** 32;
  const seconds = Math.max(1, runSeconds) * (1 + 4 * spread);
  return [300, 900, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400].find((value) => value >= seconds) ?? seconds;
}

function measure(scenario: Scenario) {
  const startedAt = performance.now();
  const runs = simulate(scenario);
  const elapsedSeconds = (performance.now() - startedAt) / 1000;
  const outcome = outcomeOf(runs, { weightOf: () => 1, poolPetaflops: scenario.poolPetaflops });
  const { waitSeconds, utilization, fairnessError, dailyHhi } = outcome;
  return {
    meanWaitSeconds: waitSeconds.mean,
    p95WaitSeconds: waitSeconds.p95,
    utilization,
    fairnessError,
    dailyHhi,
    elapsedSeconds,
  };
}

/** A made-up trace of 200,000 jobs of 200 users, at 95 % of a thousand processors: how long it takes to pass through. */
export function benchLargeTrace() {
  let seed = 1;
  const random = () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  let submitSeconds = 0;
  const jobs = Array.from({ length: 200_000 }, (_, number) => {
    submitSeconds += Math.ceil(-Math.log(1 - random()) * 30);
    const sum = random() + random() + random() - 1.5;
    return {
      line: number,
      number,
      submitSeconds,
      waitSeconds: 0,
      runSeconds: Math.ceil(Math.exp(6 + 3 * sum)),
      processors: 2 ** Math.floor(random() * 8),
      requestedSeconds: undefined,
      user: String(Math.floor(random() ** 2 * 200)),
      group: '1',
    };
  });
  const trace = { jobs, dropped: 0, maxProcessors: 1024, startSeconds: 0 };
  return measure(traceScenario(trace, { tenants: 'user', durations: 'predicted', processors: 1024, load: 0.95 }));
}
