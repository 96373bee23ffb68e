import { expect, test } from 'vitest';
import { workloadKinds } from '../../src/protocol/job-spec.ts';
import { priorOf } from '../../src/quotes/prior.ts';
import { resolveWork } from '../../src/quotes/work.ts';

const widthOf = (kind: (typeof workloadKinds)[number], accelerator: string, parameters = 7e9): number =>
  priorOf(resolveWork({ kind, parameters, tokens: 1e12, sequenceLength: 2048 }), accelerator).halfWidth;

test('the less public runs say of a kind of model on an accelerator, the wider its interval', () => {
  expect(widthOf('llm', 'H100')).toBeGreaterThan(widthOf('llm', 'A100'));
  expect(widthOf('llm', 'A100', 1e8)).toBeGreaterThan(widthOf('llm', 'A100'));
  expect(widthOf('moe', 'A100')).toBeGreaterThan(widthOf('moe', 'H100'));
  expect(widthOf('vision', 'v4')).toBeGreaterThan(widthOf('vision', 'A100'));
  expect(widthOf('diffusion', 'A100')).toBeGreaterThan(widthOf('vision', 'v4'));
  expect(widthOf('llm', 'cpu')).toBeGreaterThan(widthOf('diffusion', 'A100'));
});

test('of fine-tuning less is known than of training anew', () => {
  const width = (workload: Parameters<typeof resolveWork>[0]) => priorOf(resolveWork(workload), 'A100').halfWidth;
  const anew = width({ parameters: 7e9, tokens: 1e12 });
  const between = width({ parameters: 7e9, tokens: 1e9 });
  const tuning = width({ parameters: 7e9, tokens: 1e8 });
  expect(between).toBeGreaterThan(anew);
  expect(tuning).toBeGreaterThan(between);
  expect(width({ parameters: 7e9, tokens: 1e12, trainable: 'lora' })).toBe(tuning);
});

test.each(workloadKinds)('%s has a prior that is sure of nothing nor of everything', (kind) => {
  for (const accelerator of ['cpu', 'T4', 'V100', 'A100-80GB', 'H100', 'B200', 'v3', 'v6e']) {
    expect(widthOf(kind, accelerator)).toBeGreaterThan(Math.log(1.4));
    expect(widthOf(kind, accelerator)).toBeLessThanOrEqual(Math.log(20));
  }
});
