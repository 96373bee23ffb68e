import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gpuKinds, precisions, tpuGenerations, workloadKinds } from '../../src/protocol/job-spec.ts';
import { peakFlops, supports } from '../../src/quotes/catalogue.ts';
import { achievedFlops, workSeconds } from '../../src/quotes/speed.ts';
import { resolveWork } from '../../src/quotes/work.ts';

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

test('fine-tuning is slower a token than training anew, and more tokens never take less time', () => {
  const secondsOf = (tokens: number) =>
    workSeconds(resolveWork({ kind: 'llm', parameters: 7e9, tokens }), { kind: 'A100', count: 8 }) ?? NaN;
  expect(secondsOf(1e8) / 1e8).toBeGreaterThan(1.5 * (secondsOf(1e10) / 1e10));
  const rising = Array.from({ length: 50 }, (_, at) => secondsOf(1e7 * 1.2 ** at));
  for (const [at, seconds] of rising.entries()) expect(seconds).toBeGreaterThan(rising[at - 1] ?? 0);
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
