import { expect, test } from 'vitest';
import { hostPetaflopsPerCore, petaflopsPerCore } from '../../../src/providers/local/peak-rate.ts';

const cpuinfo = (flags: string, { name = 'CPU', mhz = '2000.000', siblings = 8, cores = 8 } = {}) =>
  `model name\t: ${name}\ncpu MHz\t\t: ${mhz}\nsiblings\t: ${siblings}\ncpu cores\t: ${cores}\nflags\t\t: fpu ${flags}\n`;

test.each([
  ['AVX-512 does 64 flop a cycle', cpuinfo('avx avx2 fma avx512f'), 128e-6],
  ['AVX2 with FMA does 32', cpuinfo('avx avx2 fma'), 64e-6],
  ['AVX does 16', cpuinfo('avx'), 32e-6],
  ['SSE does 8', cpuinfo('sse2'), 16e-6],
  ['two hyperthreads share a core', cpuinfo('avx avx2 fma', { siblings: 16 }), 32e-6],
  [
    'the nominal clock counts, not the measured one',
    cpuinfo('avx avx2 fma', { name: 'Xeon @ 3.00GHz', mhz: '800.000' }),
    96e-6,
  ],
  ['ARM says neither clock nor threads', 'Features\t: fp asimd\n', 32e-6],
])('%s', (_title, text, petaflops) => {
  expect(petaflopsPerCore(text)).toBeCloseTo(petaflops, 12);
});

test('this machine’s core does between 1 GFLOP/s and 1 TFLOP/s', () => {
  expect(hostPetaflopsPerCore()).toBeGreaterThan(1e-6);
  expect(hostPetaflopsPerCore()).toBeLessThan(1e-3);
});
