import { expect, test } from 'vitest';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import { quoteOf } from './sample.ts';

const quoted = (spec: Partial<JobSpec>) => {
  const { options, workload } = quoteOf(spec);
  const [option] = options;
  if (option === undefined) throw new Error('nothing was quoted');
  return { ...option, assumptions: workload.assumptions.join(' ') };
};

test.each<[string, NonNullable<JobSpec['resources']>, number]>([
  ['an accelerator', { accelerators: 'H100:1', market: 'on-demand' }, 10],
  ['cores', { cpus: 1 }, 0.5],
])('on %s no program is done before it has started', (_name, resources, startSeconds) => {
  const { durationSeconds, phases, assumptions } = quoted({ resources, workload: { flops: 1e6 } });
  expect(durationSeconds.p50).toBeCloseTo(startSeconds, 2);
  expect(phases.setupSeconds).toBeCloseTo(startSeconds, 2);
  expect(assumptions).toContain(`Before the first step: start of the program ${startSeconds} s, as is usual.`);
});

test('digits on an H100 take the time of a start and of launching their steps, not a millisecond', () => {
  const { durationSeconds } = quoted({ resources: { accelerators: 'H100:1' }, workload: { preset: 'mnist-mlp' } });
  expect(durationSeconds.p50).toBeGreaterThan(30);
  expect(durationSeconds.p50).toBeLessThan(60);
});

test('a duration that is stated has the start in it', () => {
  const { durationSeconds, assumptions } = quoted({ workload: { expectedDuration: '60s' } });
  expect(durationSeconds.p50).toBe(60);
  expect(assumptions).not.toContain('start of the program');
});

test('image, setup and start are counted together', () => {
  const { phases, assumptions } = quoted({
    resources: { accelerators: 'H100:1', market: 'on-demand' },
    workload: { flops: 1e6 },
    image: 'train:1',
    setup: 'pip install -r requirements.txt',
  });
  expect(phases.setupSeconds).toBeCloseTo(100, 2);
  expect(assumptions).toContain('pulling the image 60 s, setup 30 s, start of the program 10 s');
});
