import { expect, test } from 'vitest';
import { workloadKinds } from '../../src/protocol/job-spec.ts';
import { priorOf } from '../../src/quotes/prior.ts';
import { workSeconds } from '../../src/quotes/speed.ts';
import { resolveWork } from '../../src/quotes/work.ts';

const widthOf = (kind: (typeof workloadKinds)[number], accelerator: string, parameters = 7e9): number =>
  priorOf(resolveWork({ kind, parameters, tokens: 1e12, sequenceLength: 2048 }), accelerator).halfWidth;

test('the less public runs say of a kind of model on an accelerator, the wider its interval', () => {
  expect(widthOf('llm', 'V100')).toBeGreaterThan(widthOf('llm', 'H100'));
  expect(widthOf('llm', 'B200')).toBeGreaterThan(widthOf('llm', 'V100'));
  expect(widthOf('llm', 'A100', 1e8)).toBeGreaterThan(widthOf('llm', 'A100'));
  expect(widthOf('moe', 'A100')).toBeGreaterThan(widthOf('moe', 'H100'));
  expect(widthOf('vision', 'A100')).toBeGreaterThan(widthOf('encoder', 'A100'));
  expect(widthOf('diffusion', 'A100')).toBeGreaterThan(widthOf('vision', 'v4'));
  expect(widthOf('encoder', 'V100')).toBeGreaterThan(widthOf('llm', 'V100'));
  expect(widthOf('llm', 'cpu')).toBeGreaterThan(widthOf('diffusion', 'A100'));
});

test('a larger model takes longer in the middle and at the far end, also where intervals of well-known models begin', () => {
  const ends = Array.from({ length: 40 }, (_, at) => {
    const work = resolveWork({ parameters: 5e8 * 1.08 ** at, tokens: 1e12, sequenceLength: 2048 });
    const middle = workSeconds(work, { kind: 'A100', count: 256 }) ?? NaN;
    return [middle, middle * Math.exp(priorOf(work, 'A100').halfWidth)] as const;
  });
  for (const [at, [p50, p90]] of ends.entries()) {
    expect(p50).toBeGreaterThan(ends[at - 1]?.[0] ?? 0);
    expect(p90).toBeGreaterThan(ends[at - 1]?.[1] ?? 0);
  }
});

test('a mixture trained on few tokens for all its experts, but many for those a token meets, is no fine-tuning', () => {
  const glam = resolveWork({ kind: 'moe', parameters: 1.2e12, activeParameters: 96.6e9, tokens: 280e9 });
  expect(priorOf(glam, 'v4').halfWidth).toBe(widthOf('moe', 'v4'));
});

test('of fine-tuning less is known than of training anew', () => {
  const width = (workload: Parameters<typeof resolveWork>[0]) => priorOf(resolveWork(workload), 'A100').halfWidth;
  const anew = width({ parameters: 7e9, tokens: 1e12 });
  const between = width({ parameters: 7e9, tokens: 1e9 });
  const tuning = width({ parameters: 7e9, tokens: 1e8 });
  expect(between).toBeGreaterThan(anew);
  expect(tuning).toBeGreaterThan(between);
  expect(width({ parameters: 7e9, tokens: 1e8, trainable: 'lora' })).toBe(tuning);
  expect(width({ parameters: 7e9, flops: 1e18, kind: 'llm', trainable: 'lora' })).toBe(tuning);
});

test('of parameters and examples whose kind is not stated next to nothing is known', () => {
  const { halfWidth } = priorOf(resolveWork({ parameters: 25.6e6, examples: 1_281_167, epochs: 90 }), 'V100');
  expect(halfWidth).toBe(Math.log(20));
});

test.each(workloadKinds)('%s has a prior that is sure of nothing nor of everything', (kind) => {
  for (const accelerator of ['cpu', 'T4', 'V100', 'A100-80GB', 'H100', 'B200', 'v3', 'v6e']) {
    expect(widthOf(kind, accelerator)).toBeGreaterThan(Math.log(1.4));
    expect(widthOf(kind, accelerator)).toBeLessThanOrEqual(Math.log(20));
  }
});
