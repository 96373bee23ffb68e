import { expect, test } from 'vitest';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import { measuredBy, pilotOption, pilotSpec, type Ended } from '../../src/quotes/pilot.ts';
import { advance, type Track } from '../../src/quotes/progress.ts';
import { builtInCatalogue } from '../../src/quotes/price-list.ts';
import { indexWares } from '../../src/quotes/sellers.ts';
import { localMachine, localWares, quoteOf, waresWithGpus } from './sample.ts';

const start = new Date('2026-11-25T12:00:00Z');
const later = (seconds: number) => new Date(start.getTime() + seconds * 1000);
const spec: JobSpec = {
  name: 'train',
  command: 'python3 train.py',
  outputs: ['out/'],
  checkpoints: { path: 'ckpt/' },
  webhooks: [{ url: 'https://example.com/' }],
  maxDuration: '2d',
  workload: { flops: 1e18 },
};
const [option] = quoteOf(spec).options;

/** So many steps of `total`, `every` seconds each, the first at `from`. */
function track(steps: number, total: number | null, every = 1, from = 20): Track | null {
  let told: Track | null = null;
  for (let done = 1; done <= steps; done++) {
    const atMs = later(from + (done - 1) * every).getTime();
    told = advance(told, { done, total, unit: 'steps' }, { atMs, attempt: 1 });
  }
  return told;
}

const ended = (given: Partial<Ended>): Ended => {
  if (option === undefined) throw new Error('Nothing was quoted.');
  const attempt = { number: 1, startedAt: start, finishedAt: later(120) };
  return { reason: 'pilot-ended', message: null, track: null, attempt, option, ...given };
};

test('a pilot gives the whole: the time until it was at speed, and all its work at that speed', () => {
  const { measured, message } = measuredBy(ended({ track: track(100, 5000) }));
  expect(measured?.durationSeconds).toBeCloseTo(5019, 0);
  expect(measured?.spreadFactor).toBeGreaterThanOrEqual(1.04);
  expect(measured?.spreadFactor).toBeLessThan(1.06);
  expect(measured?.accelerators).toEqual({ kind: 'cpu', count: 1 });
  expect(message).toMatch(
    /^Measured by a pilot on local, 1 cpu: 100 of 5000 steps in 2 min, at 1 a second after 19 s\.$/,
  );
});

test('its quote keeps to what was measured, on that many accelerators more surely than on others', () => {
  const wares = waresWithGpus('T4');
  const onGpus: JobSpec = { ...spec, maxDuration: '90d', resources: { accelerators: 'T4' } };
  const before = quoteOf(onGpus, { wares });
  const measured = { accelerators: { kind: 'T4', count: 2 }, durationSeconds: 5019, spreadFactor: 1.04 };
  const after = quoteOf(onGpus, { wares, measured });
  const widthOf = (count: number, { options } = after) => {
    const { p10, p90 } = options.find(({ offer }) => offer.accelerators.count === count)?.durationSeconds ?? {
      p10: NaN,
      p90: NaN,
    };
    return p90 / p10;
  };
  const own = after.options.find(({ offer }) => offer.provider === 'local' && offer.accelerators.count === 2);
  expect(own?.durationSeconds.p50).toBeCloseTo(5019, 0);
  expect(widthOf(2)).toBeCloseTo(1.04 ** 2, 2);
  expect(widthOf(4)).toBeCloseTo(1.23 ** 2, 2);
  expect(widthOf(4)).toBeLessThan(widthOf(4, before));
  expect(after.workload.basis).toBe('pilot');
  expect(after.workload.assumptions[0]).toMatch(/pilot's, on 2 of these/);
});

test('what a pilot found on cores of one rate is stretched to cores of another', () => {
  const workload = { flops: 1e14, kind: 'vision' as const };
  const on = (gigaflopsPerCore: number, ran: number) =>
    quoteOf(
      { ...spec, workload, maxDuration: '90d' },
      {
        wares: indexWares(
          [{ provider: 'local', sellables: [{ ...localMachine, gigaflopsPerCore }] }],
          builtInCatalogue,
        ),
        measured: {
          accelerators: { kind: 'cpu', count: 1 },
          gigaflopsPerCore: ran,
          durationSeconds: 5000,
          spreadFactor: 1.04,
        },
      },
    ).options[0];
  expect(on(60, 60)?.durationSeconds.p50).toBeCloseTo(5000, 0);
  expect(on(120, 60)?.durationSeconds.p50).toBeCloseTo(2500, 0);
  const slow = on(60, 60);
  if (slow === undefined) throw new Error('Nothing was quoted.');
  expect(slow.offer.gigaflopsPerCore).toBe(60);
  expect(measuredBy(ended({ reason: 'completed', option: slow })).measured?.gigaflopsPerCore).toBe(60);
});

test('a pilot that ran the whole job has measured it', () => {
  const attempt = { number: 1, startedAt: start, finishedAt: later(30) };
  const { measured, message } = measuredBy(ended({ reason: 'completed', attempt }));
  expect(measured).toMatchObject({ durationSeconds: 30, spreadFactor: expect.closeTo(1.1, 6) });
  expect(message).toContain('the whole job');
});

test.each([
  ['printed no progress', { track: null }],
  ['printed its progress 2 times', { track: track(2, 5000) }],
  ['has no total', { track: track(100, null) }],
  ['The pilot failed: It exited with 1.', { reason: 'exit-code', message: 'It exited with 1.' }],
  ['The pilot never ran. Cancelled.', { reason: 'cancelled', message: 'Cancelled.', attempt: undefined }],
])('where nothing was measured it says why: %s', (why, given) => {
  const { measured, message } = measuredBy(ended(given));
  expect(measured).toBeNull();
  expect(message).toContain(why);
});

test('the pilot’s job is the spec’s own command, bounded, labelled, and of no consequence', () => {
  if (option === undefined) throw new Error('Nothing was quoted.');
  expect(pilotSpec({ ...spec, dependsOn: [] }, 'quo_1', option, 120_000)).toEqual({
    name: 'train-pilot',
    command: 'python3 train.py',
    workload: { flops: 1e18 },
    labels: { 'weir-pilot': 'quo_1' },
    resources: { providers: ['local'], market: 'on-demand' },
    objective: 'cheapest',
    maxDuration: '120s',
    retries: { max: 1, on: ['preemption', 'infrastructure'] },
  });
  expect(pilotSpec({ ...spec, maxDuration: '30s' }, 'quo_1', option, 120_000).maxDuration).toBe('30s');
});

test('it runs on this installation’s own hardware where that can do it, on the cheapest', () => {
  expect(pilotOption(quoteOf(spec, { wares: localWares }))?.offer.provider).toBe('local');
  const onGpus = { ...spec, resources: { accelerators: 'T4' } };
  expect(pilotOption(quoteOf(onGpus, { wares: waresWithGpus('T4') }))?.offer.accelerators.count).toBe(1);
  expect(pilotOption(quoteOf(onGpus))).toBeUndefined();
});
