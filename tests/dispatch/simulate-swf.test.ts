import { expect, test } from 'vitest';
import { parseSwf } from '../../src/dispatch/simulate-swf.ts';
import { offeredLoad, traceScenario } from '../../src/dispatch/simulate-trace.ts';
import { simulate } from '../../src/dispatch/simulate.ts';

/** Made up, in the format's own words: two users of one group, the second cancelled its last job before it started. */
const text = `; Version: 2.2
; MaxProcs: 8
; UnixStartTime: 1000
;
  1   0  5 100  4 -1 -1  4 200 -1 1  1 1 -1 -1 -1 -1 -1
  2  10 -1  50  8 -1 -1 -1  -1 -1 1  2 1 -1 -1 -1 -1 -1
  3 200 -1 100 -1 -1 -1  2  60 -1 1  1 1 -1 -1 -1 -1 -1

  4 300 -1  -1  4 -1 -1 -1  -1 -1 5  2 1 -1 -1 -1 -1 -1
`;

test('a trace in Standard Workload Format is read with its header; what never ran is counted apart', () => {
  const { jobs, ...header } = parseSwf(text);
  expect(header).toEqual({ maxProcessors: 8, startSeconds: 1000, dropped: 1 });
  expect(jobs).toHaveLength(3);
  expect(jobs[0]).toEqual({
    line: 5,
    number: 1,
    submitSeconds: 0,
    waitSeconds: 5,
    runSeconds: 100,
    processors: 4,
    requestedSeconds: 200,
    user: '1',
    group: '1',
  });
  // Where the trace does not say what was allocated, what was asked for counts.
  expect(jobs[2]).toMatchObject({ processors: 2, requestedSeconds: 60, waitSeconds: undefined });
});

test('the parts of a job that was checkpointed are no jobs, and one cancelled before it ran has no runtime', () => {
  const line = (number: number, submit: number, run: number, status: number) =>
    `${number} ${submit} 0 ${run} 2 -1 -1 2 -1 -1 ${status} 1 1 -1 -1 -1 -1 -1`;
  const lines = [line(1, 10, 100, 1), line(1, 10, 50, 2), line(1, -1, 50, 3), line(2, 20, 0, 5), line(3, 30, 40, 5)];
  const { jobs, dropped } = parseSwf(lines.join('\n'));
  expect(jobs.map(({ line: of, runSeconds }) => [of, runSeconds])).toEqual([[1, 100], [5, 40]]); // prettier-ignore
  expect(dropped).toBe(1);
});

test('jobs whose numbers repeat are told apart', () => {
  const trace = parseSwf(text.replaceAll(/^  2/gm, '  1'));
  const runs = simulate(traceScenario(trace, { tenants: 'user', durations: 'perfect', processors: 8 }));
  expect(new Set(runs.map(({ jobId }) => jobId)).size).toBe(3);
});

test('a line that is not of the format is named', () => {
  expect(() => parseSwf(`${text}5 1 2\n`)).toThrow('Line 10 is not of the Standard Workload Format');
});

test('users or groups are tenants, and durations are declared, predicted from what ended before, or perfect', () => {
  const trace = parseSwf(text);
  const of = (durations: 'declared' | 'predicted' | 'perfect') =>
    traceScenario(trace, { tenants: 'user', durations, processors: 8 }).jobs.map(
      ({ choices: [choice] }) => (choice?.durationMs.p50 ?? 0) / 1000,
    );
  expect(of('declared')).toEqual([200, 50, 60]);
  // The first job of the user had ended by then; of the others nothing was known.
  expect(of('predicted')).toEqual([3600, 3600, 100]);
  expect(of('perfect')).toEqual([100, 50, 100]);
  const groups = traceScenario(trace, { tenants: 'group', durations: 'perfect', processors: 8 });
  expect(new Set(groups.jobs.map(({ tenantId }) => tenantId))).toEqual(new Set(['1']));
});

test('a load is reached by stretching the time between arrivals', () => {
  const trace = parseSwf(text);
  expect(offeredLoad(trace.jobs, 8)).toBe(1000 / (8 * 200));
  const { jobs } = traceScenario(trace, { tenants: 'user', durations: 'perfect', processors: 8, load: 1.25 });
  expect(jobs.map(({ submittedAt }) => submittedAt / 1000)).toEqual([1000, 1005, 1100]);
});

test('a trace passes through the scheduler', () => {
  const runs = simulate(traceScenario(parseSwf(text), { tenants: 'user', durations: 'perfect', processors: 8 }));
  expect(runs.map(({ stretches: [first] }) => (first?.startedAt ?? 0) / 1000)).toEqual([1000, 1100, 1200]);
});
