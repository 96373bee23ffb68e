import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gpuKinds, precisions, tpuGenerations, workloadKinds, type Workload } from '../../src/protocol/job-spec.ts';
import { peakFlops, supports } from '../../src/quotes/catalogue.ts';
import { achievedFlops, workSeconds } from '../../src/quotes/speed.ts';
import { resolveWork } from '../../src/quotes/work.ts';
import { quoteOf } from './sample.ts';

const kinds = [...gpuKinds, ...tpuGenerations];
const llama = resolveWork({ preset: 'llama-2-7b' });

test.each(kinds)('%s keeps between 5 and 75 %% of its peak on a language model', (kind) => {
  const peak = peakFlops(kind) ?? NaN;
  for (const count of [1, 8, 64, 512]) {
    const share = (achievedFlops(llama, { kind, count }) ?? NaN) / (peak * count);
    expect(share).toBeGreaterThan(0.05);
    expect(share).toBeLessThanOrEqual(0.75);
  }
});

test('more accelerators are never slower, and never cost fewer accelerator-hours', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...kinds),
      fc.constantFrom(...workloadKinds),
      fc.constantFrom(...precisions),
      fc.integer({ min: 0, max: 12 }),
      (kind, workKind, precision, doublings) => {
        const work = resolveWork({ kind: workKind, precision, flops: 1e21 });
        const count = 2 ** doublings;
        const once = workSeconds(work, { kind, count }) ?? NaN;
        const twice = workSeconds(work, { kind, count: 2 * count }) ?? NaN;
        expect(twice).toBeLessThan(once);
        expect(twice * 2).toBeGreaterThanOrEqual(once * 0.999);
      },
    ),
  );
});

test('cores are as fast as they were measured; of accelerators the host’s cores say nothing', () => {
  const work = resolveWork({ kind: 'vision', flops: 1e15 });
  const on = (kind: string, gigaflopsPerCore: number) => workSeconds(work, { kind, count: 4, gigaflopsPerCore }) ?? NaN;
  expect(on('cpu', 100)).toBeCloseTo(on('cpu', 50) / 2, 6);
  expect(on('H100', 100)).toBe(on('H100', 50));
});

test('adapters never take longer than all weights, and without data of their own are said to see the preset’s', () => {
  const seconds = (workload: Workload) => workSeconds(resolveWork(workload), { kind: 'A100-80GB', count: 8 }) ?? NaN;
  for (const tokens of [1e7, 1e9, 3e9, 1e10, 1e12]) {
    const full = { parameters: 7e9, tokens, sequenceLength: 2048 };
    expect(seconds({ ...full, trainable: 'lora' })).toBeLessThan(seconds(full));
  }
  const assumed = (workload: Workload) => resolveWork(workload).assumptions.join(' ');
  expect(assumed({ preset: 'llama-2-7b', trainable: 'lora' })).toContain('State tokens or examples');
  expect(assumed({ preset: 'llama-2-7b', trainable: 'lora', tokens: 1e8 })).not.toContain('State tokens');
});

test('fine-tuning is slower a token than training anew, and more tokens never take less time', () => {
  const secondsOf = (tokens: number) =>
    workSeconds(resolveWork({ kind: 'llm', parameters: 7e9, tokens }), { kind: 'A100', count: 8 }) ?? NaN;
  expect(secondsOf(1e8) / 1e8).toBeGreaterThan(1.5 * (secondsOf(1e10) / 1e10));
  const rising = Array.from({ length: 50 }, (_, at) => secondsOf(1e7 * 1.2 ** at));
  for (const [at, seconds] of rising.entries()) expect(seconds).toBeGreaterThan(rising[at - 1] ?? 0);
});

test.each<[string, Workload, { kind: string; count: number }, number]>([
  ['Llama 3.1 405B', { flops: 3.8e25, parameters: 405e9 }, { kind: 'H100', count: 16_384 }, 30.84e6],
  ['GPT-3', { flops: 3.14e23, parameters: 175e9 }, { kind: 'V100', count: 10_000 }, 3.552e6],
])('%s by its FLOP and size alone is quoted as a language model', (_name, workload, gang, acceleratorHours) => {
  const quoted = ((workSeconds(resolveWork(workload), gang) ?? NaN) * gang.count) / 3600;
  expect(quoted / acceleratorHours).toBeGreaterThan(0.67);
  expect(quoted / acceleratorHours).toBeLessThan(1.5);
});

test('an Alpaca in examples takes hours, not seconds', () => {
  const work = resolveWork({ kind: 'llm', parameters: 6.74e9, examples: 52_000, epochs: 3 });
  const acceleratorHours = ((workSeconds(work, { kind: 'A100-80GB', count: 8 }) ?? NaN) * 8) / 3600;
  expect(acceleratorHours).toBeGreaterThan(8);
  expect(acceleratorHours).toBeLessThan(72);
});

test('a recommender known by its tables and rows alone takes minutes, as DLRM does', () => {
  const hoursOf = (work: ReturnType<typeof resolveWork>) =>
    (workSeconds(work, { kind: 'A100', count: 8 }) ?? NaN) / 450;
  const guessed = hoursOf(resolveWork({ kind: 'recommender', parameters: 24e9, examples: 4.195e9 }));
  const known = hoursOf(resolveWork({ preset: 'dlrm-criteo1tb' }));
  expect(Math.abs(Math.log(guessed / known))).toBeLessThan(Math.log(4));
});

test.each(kinds)('on %s fewer bits are never slower, and tf32 where there is none is fp32', (kind) => {
  const rateIn = (precision: (typeof precisions)[number]) =>
    achievedFlops(resolveWork({ kind: 'llm', precision, flops: 1e20 }), { kind, count: 8 }) ?? NaN;
  const [fp32, tf32, bf16, fp8] = [rateIn('fp32'), rateIn('tf32'), rateIn('bf16'), rateIn('fp8')];
  expect([tf32, bf16, fp8]).toEqual([tf32, bf16, fp8].toSorted((left, right) => left - right));
  if (supports(kind, 'tf32')) expect(fp32).toBeLessThanOrEqual(tf32);
  else expect(fp32).toBe(tf32);
});

test('fp8 at the rate of bf16 is no gain', () => {
  for (const kind of ['v5p', 'v6e', 'A100']) expect(supports(kind, 'fp8'), kind).toBe(false);
  expect(supports('H100', 'fp8')).toBe(true);
});

test('a precision that the accelerator has no rate for is said, with the one that counts', () => {
  const assumed = (accelerators: string, precision: (typeof precisions)[number]) =>
    quoteOf({ resources: { accelerators }, workload: { preset: 'llama-2-7b', precision } }).workload.assumptions;
  expect(assumed('A100:8', 'fp8')).toContain('A100 gains nothing from fp8: the speed is that of bf16.');
  expect(assumed('V100:8', 'tf32')).toContain('V100 gains nothing from tf32: the speed is that of fp32.');
  expect(assumed('v5e-8', 'tf32')).toContain('v5e gains nothing from tf32: the speed is that of bf16.');
  expect(assumed('v5p-8', 'fp8')).toContain('v5p gains nothing from fp8: the speed is that of bf16.');
  expect(assumed('H100:8', 'fp8').join(' ')).not.toContain('the speed is that of');
});

test('fp8 is faster where the accelerator has it, and fp32 slower everywhere', () => {
  for (const kind of kinds) {
    const rateIn = (precision: (typeof precisions)[number]) =>
      achievedFlops(resolveWork({ kind: 'llm', precision, flops: 1e20 }), { kind, count: 8 }) ?? NaN;
    if (supports(kind, 'fp8')) expect(rateIn('fp8')).toBeGreaterThan(rateIn('bf16'));
    else expect(rateIn('fp8')).toBe(rateIn('bf16'));
    if (supports(kind, 'fp32')) expect(rateIn('fp32')).toBeLessThan(rateIn('bf16'));
  }
});

test('where the batch is not known, launching its usual steps bounds the time from below, and adds nothing to more', () => {
  const seconds = (workload: Workload, count = 1) => workSeconds(resolveWork(workload), { kind: 'H100', count }) ?? NaN;
  expect(seconds({ preset: 'mnist-mlp' })).toBeCloseTo((600_000 / 64) * 0.003, 6);
  expect(seconds({ preset: 'mnist-mlp' }, 8)).toBeCloseTo(seconds({ preset: 'mnist-mlp' }) / 8, 6);
  expect(seconds({ kind: 'llm', parameters: 1e4, tokens: 1e7 })).toBeCloseTo((1e7 / 16_384) * 0.003, 6);
  const large: Workload = { kind: 'vision', examples: 1.28e6, epochs: 90, flopsPerExample: 24.6e9 };
  expect(seconds(large)).toBe(
    (resolveWork(large).flops ?? 0) / (achievedFlops(resolveWork(large), { kind: 'H100', count: 1 }) ?? 0),
  );
});
