import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { forecast, leavesQuote, type Running } from '../../src/quotes/forecast.ts';
import { advance, rateOf, type Track } from '../../src/quotes/progress.ts';

const running = (given: Partial<Running>): Running => ({
  nowMs: 0,
  startedMs: 0,
  attempt: 1,
  earlierMs: 0,
  quoted: { p10: 50, p50: 100, p90: 200 },
  track: null,
  maxMs: Infinity,
  ...given,
});

type Saying = { atSeconds: number; done: number; attempt?: number };

const heard = (total: number | null, sayings: Saying[]): Track | null =>
  sayings.reduce<Track | null>(
    (track, { atSeconds, done, attempt = 1 }) =>
      advance(track, { done, total, unit: 'steps' }, { atMs: atSeconds * 1000, attempt }),
    null,
  );

/** One step each `every` seconds, from `from` on. */
const steady = (steps: number, every: number, from = 0): Saying[] =>
  Array.from({ length: steps }, (_, at) => ({ atSeconds: from + (at + 1) * every, done: at + 1 }));

const secondsLeft = (given: Partial<Running>): number => (forecast(running(given))?.remaining.p50 ?? NaN) / 1000;

describe('the track', () => {
  test('holds few marks however much is said, and from them the speed', () => {
    const track = heard(100_000, steady(5_000, 0.5));
    expect(track?.marks.length).toBeLessThanOrEqual(24);
    expect(track?.done).toBe(5_000);
    expect(rateOf(track ?? { marks: [] }, 2_500_000)?.perMs).toBeCloseTo(0.002, 6);
  });

  test('is of recent speed: an hour of setup and a slow beginning do not count', () => {
    const slow = steady(10, 20, 3600);
    const fast = Array.from({ length: 100 }, (_, at) => ({ atSeconds: 3800 + (at + 1) * 2, done: 11 + at }));
    const track = heard(1000, [...slow, ...fast]);
    expect(rateOf(track ?? { marks: [] }, 4_000_000)?.perMs).toBeCloseTo(1 / 2000, 5);
  });

  test('said again, nothing changes; counting anew starts anew', () => {
    const track = heard(10, steady(5, 1));
    expect(advance(track, { done: 5, total: 10, unit: 'steps' }, { atMs: 9_000, attempt: 1 })).toBe(track);
    expect(advance(track, { done: 1, total: 10, unit: 'steps' }, { atMs: 9_000, attempt: 1 }).marks).toHaveLength(1);
    expect(advance(track, { done: 6, total: 10, unit: 'epochs' }, { atMs: 9_000, attempt: 1 }).marks).toHaveLength(1);
  });
});

describe('the forecast', () => {
  test('of a job that said nothing is its quote, given how long it has run already', () => {
    expect(secondsLeft({ nowMs: 0 })).toBeCloseTo(100, 3);
    expect(secondsLeft({ startedMs: null, nowMs: 5_000 })).toBeCloseTo(100, 3);
    const atMiddle = secondsLeft({ nowMs: 100_000 });
    expect(atMiddle).toBeGreaterThan(20);
    // The longer it is overdue, the longer it may yet take.
    expect(secondsLeft({ nowMs: 400_000 })).toBeGreaterThan(atMiddle);
    expect(secondsLeft({ nowMs: 1e12 })).toBeLessThan(Infinity);
  });

  test('is the work left at the job’s own speed, once it is clear', () => {
    const track = heard(1000, steady(500, 1, 60));
    // The quote said 100 s; it takes 1060.
    expect(secondsLeft({ nowMs: 560_000, track })).toBeGreaterThan(450);
    expect(secondsLeft({ nowMs: 560_000, track, quoted: null })).toBeCloseTo(500, 0);
    expect(secondsLeft({ nowMs: 560_500, track, quoted: null })).toBeCloseTo(499.5, 0);
    expect(forecast(running({ nowMs: 0, quoted: null }))).toBeUndefined();
  });

  test('early on weighs both, the surer one more', () => {
    const track = heard(100, steady(2, 2));
    const left = secondsLeft({ nowMs: 4_000, track });
    expect(left).toBeGreaterThan(96);
    expect(left).toBeLessThan(196);
    const sure = secondsLeft({ nowMs: 4_000, track, quoted: { p10: 99, p50: 100, p90: 101 } });
    expect(sure).toBeGreaterThan(96);
  });

  test('of a resumed attempt starts from its checkpoint, at the speed of the attempt before', () => {
    const first = steady(600, 1);
    const before = heard(1000, first);
    const resumed = heard(1000, [...first, { atSeconds: 700, done: 550, attempt: 2 }]);
    const second = { attempt: 2, startedMs: 680_000, earlierMs: 600_000, quoted: null };
    // The checkpoint is not known yet, and there is no quote.
    expect(forecast(running({ ...second, nowMs: 690_000, track: before }))).toBeUndefined();
    expect(secondsLeft({ ...second, nowMs: 700_000, track: resumed })).toBeCloseTo(450, 0);
    expect(forecast(running({ ...second, nowMs: 700_000, track: resumed }))?.total.p50).toBeCloseTo(1_070_000, -4);
  });

  test('a job that stalls is forecast later and later', () => {
    const track = heard(100, steady(50, 1));
    const lefts = [50, 60, 120, 600].map((seconds) => secondsLeft({ nowMs: seconds * 1000, track, quoted: null }));
    expect(lefts).toEqual(lefts.toSorted((a, b) => a - b));
    expect(lefts[3]).toBeGreaterThan(500);
  });

  test('goes no further than maxDuration', () => {
    expect(secondsLeft({ nowMs: 10_000, maxMs: 30_000 })).toBe(20);
  });

  test('never crosses, is never negative, and always is a number', () => {
    const ms = fc.integer({ min: 0, max: 1e10 });
    const seconds = fc.double({ min: 1e-3, max: 1e9, noNaN: true });
    const quoted = fc
      .tuple(seconds, fc.double({ min: 1, max: 100, noNaN: true }))
      .map(([p50, factor]) => ({ p10: p50 / factor, p50, p90: p50 * factor }));
    const said = fc.record({ atSeconds: fc.integer({ min: 0, max: 1e6 }), done: fc.integer({ min: 0, max: 1000 }) });
    const track = fc.array(said, { maxLength: 60 }).map((all) =>
      heard(
        1000,
        all.toSorted((a, b) => a.atSeconds - b.atSeconds),
      ),
    );
    fc.assert(
      fc.property(ms, ms, quoted, track, (nowMs, earlierMs, quote, known) => {
        const told = forecast(running({ nowMs, earlierMs, quoted: quote, track: known }));
        for (const { p10, p50, p90 } of [told?.remaining, told?.total].flatMap((each) => each ?? [])) {
          expect(p10).toBeGreaterThanOrEqual(0);
          expect(p50).toBeGreaterThanOrEqual(p10);
          expect(p90).toBeGreaterThanOrEqual(p50);
        }
      }),
    );
  });

  test('of jobs whose speed varies from step to step, about four of five end before p90 and after p10', () => {
    let seed = 7;
    const uniform = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    let within = 0;
    const trials = 400;
    for (let trial = 0; trial < trials; trial++) {
      const takes = Array.from({ length: 100 }, () => 10 * (0.5 + uniform()));
      let at = 0;
      const sayings = takes.map((each, index) => ({ atSeconds: (at += each), done: index + 1 }));
      const nowMs = (sayings[29]?.atSeconds ?? 0) * 1000;
      const told = forecast(running({ nowMs, quoted: null, track: heard(100, sayings.slice(0, 30)) }));
      if (told !== undefined && at * 1000 >= told.total.p10 && at * 1000 <= told.total.p90) within += 1;
    }
    expect(within / trials).toBeGreaterThan(0.75);
  });
});

describe('leaving the quote', () => {
  const told = (given: Partial<Running>) => {
    const now = running(given);
    const foreseen = forecast(now);
    return foreseen && leavesQuote(now, foreseen);
  };
  test('is clear when p90 has passed, or when the speed says so', () => {
    expect(told({ nowMs: 150_000 })).toBeUndefined();
    expect(told({ nowMs: 201_000 })).toBe('longer');
    expect(told({ nowMs: 10_000, track: heard(1000, steady(10, 1)) })).toBe('longer');
    expect(told({ nowMs: 10_000, track: heard(20, steady(10, 1)) })).toBe('shorter');
    expect(told({ nowMs: 10_000, track: heard(100, steady(10, 1)) })).toBeUndefined();
    expect(told({ nowMs: 2_000, track: heard(1000, steady(2, 1)) })).toBeUndefined();
  });
});
