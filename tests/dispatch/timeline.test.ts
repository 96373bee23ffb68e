import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noRoom, type Room } from '../../src/dispatch/room.ts';
import { createTimeline } from '../../src/dispatch/timeline.ts';

const cores = (cpus: number): Room => ({ ...noRoom, cpus });
const amount = fc.integer({ min: 1, max: 8 });
const time = fc.integer({ min: 0, max: 50 });

const releases = fc.array(fc.record({ at: time, cpus: amount }), { maxLength: 8 });
const jobs = fc.array(fc.record({ cpus: amount, ms: fc.integer({ min: 1, max: 40 }) }), { maxLength: 12 });

test('jobs that are placed one after another never take more than will be free, and start as early as can be', () => {
  fc.assert(fc.property(amount, releases, jobs, placesAsEarlyAsCanBe));
});

type Job = { cpus: number; ms: number };

function placesAsEarlyAsCanBe(free: number, given: { at: number; cpus: number }[], wanted: Job[]): void {
  const timeline = createTimeline(
    0,
    cores(free),
    given.map(({ at, cpus }) => ({ at, room: cores(cpus) })),
  );
  const placed: { from: number; to: number; cpus: number }[] = [];
  const whole = (at: number) => free + sum(given.filter((each) => each.at <= at));
  const left = (at: number) => whole(at) - sum(placed.filter(({ from, to }) => from <= at && at < to));
  const isFree = (from: number, { cpus, ms }: Job) =>
    Array.from({ length: ms }, (_, after) => left(from + after)).every((room) => room >= cpus);
  for (const job of wanted) {
    const start = timeline.earliest(cores(job.cpus), job.ms);
    if (start === undefined) {
      expect(job.cpus).toBeGreaterThan(whole(Infinity));
      continue;
    }
    expect(isFree(start, job)).toBe(true);
    for (let sooner = 0; sooner < start; sooner++) expect(isFree(sooner, job)).toBe(false);
    timeline.take(cores(job.cpus), start, job.ms);
    placed.push({ from: start, to: start + job.ms, cpus: job.cpus });
  }
}

function sum(amounts: { cpus: number }[]): number {
  return amounts.reduce((total, { cpus }) => total + cpus, 0);
}
