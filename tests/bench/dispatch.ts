import { benchCycle } from './dispatch/cycle.ts';
import { benchKueue, cutKueue, kueueCases } from './dispatch/kueue.ts';
import { benchLargeTrace, benchTrace } from './dispatch/trace.ts';
import { benchVerdict } from './dispatch/verdict.ts';
import { finish } from './summary.ts';

/**
 * `npm run bench:dispatch -- [part…] [--trace <file.swf.gz>] [--json]`. Parts: `cycle`, `verdict`, `large-trace`; `trace`,
 * which needs the file of the NASA iPSC trace, which is not ours to ship; and, only where they are named since they take minutes,
 * `kueue` and `kueue-large`; of these `--one-in=20` takes one job in twenty, to look at what a job costs and not at Kueue's times.
 */
const words = process.argv.slice(2);
const at = words.indexOf('--trace');
const tracePath = at === -1 ? undefined : words[at + 1];
const wished = words.filter((word, index) => !word.startsWith('--') && (at === -1 || index !== at + 1));
const wants = (part: string) => wished.length === 0 || wished.includes(part);

const oneIn = Number(words.find((word) => word.startsWith('--one-in='))?.slice('--one-in='.length) ?? 1);

const details: Record<string, unknown> = {};
const summary: Record<string, number | string> = {};

if (wants('cycle')) {
  const cycles = await benchCycle();
  details['cycle'] = cycles;
  for (const { queued, firstMs, medianMs } of cycles) {
    summary[`cycle.${queued}.firstMs`] = firstMs;
    summary[`cycle.${queued}.medianMs`] = medianMs;
  }
  const [smallest, largest] = [cycles[0], cycles.at(-1)];
  summary['cycle.growth'] = (largest?.medianMs ?? NaN) / (smallest?.medianMs ?? NaN);
  summary['cycle.residentMiB'] = largest?.residentMiB ?? NaN;
}
if (wants('verdict')) {
  const verdict = await benchVerdict();
  details['verdict'] = verdict;
  summary['verdict.p99Ms'] = verdict.p99Ms;
}
if (wants('large-trace')) {
  const large = benchLargeTrace();
  details['largeTrace'] = large;
  summary['largeTrace.elapsedSeconds'] = large.elapsedSeconds;
}
for (const name of ['kueue', 'kueue-large'] as const) {
  if (!wished.includes(name)) continue;
  const run = await benchKueue(cutKueue(kueueCases[name], oneIn));
  details[name] = run;
  summary[`${name}.wallSeconds`] = run.wallMs / 1000;
  summary[`${name}.floorSeconds`] = run.floorMs / 1000;
  summary[`${name}.serviceCpuMsPerJob`] = run.serviceCpuMsPerJob;
  if (oneIn > 1) continue;
  summary[`${name}.kueueWallSeconds`] = run.kueueWallMs / 1000;
  for (const { name: jobClass, meanWaitMs, kueueMeanWaitMs } of run.classes) {
    summary[`${name}.${jobClass}.meanWaitSeconds`] = meanWaitMs / 1000;
    summary[`${name}.${jobClass}.kueueMeanWaitSeconds`] = kueueMeanWaitMs / 1000;
  }
}
if (tracePath !== undefined && wants('trace')) {
  const runs = await benchTrace(tracePath);
  details['trace'] = runs;
  for (const { load, rules, durations, meanWaitSeconds, p95WaitSeconds, fairnessError } of runs)
    summary[`trace.${load}.${rules}.${durations}`] =
      `wait ${Math.round(meanWaitSeconds ?? 0)} s, p95 ${Math.round(p95WaitSeconds ?? 0)} s, fairness error ${(fairnessError ?? 0).toFixed(3)}`;
}
finish({ ...details, summary });
