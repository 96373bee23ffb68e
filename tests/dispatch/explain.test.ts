import { expect, test } from 'vitest';
import { forecast } from '../../src/dispatch/explain.ts';
import { choice, job, minute, pool, running, snapshot, tenant } from './snapshots.ts';

test('a waiting job is expected when what runs ends, and the next one when that ends', () => {
  const whole = choice({ cpus: 4 });
  const queued = [job('first', 'a', { choices: [whole] }), job('second', 'a', { queuedAt: 1, choices: [whole] })];
  const etas = forecast(
    snapshot({
      queued,
      tenants: [tenant('a'), tenant('b')],
      pools: [pool({ cpus: 0 })],
      running: [running('r', 'b', 5 * minute, { choice: whole })],
    }),
  );
  expect(etas.get('first')).toEqual({ p50: 5 * minute, p90: 5 * minute });
  expect(etas.get('second')).toEqual({ p50: 15 * minute, p90: 25 * minute });
});

test('a job that has run past all expectation is expected to run as long again, in the late forecast', () => {
  const whole = choice({ cpus: 4 });
  const etas = forecast(
    snapshot({
      now: 40 * minute,
      queued: [job('first', 'a', { choices: [whole] })],
      tenants: [tenant('a'), tenant('b')],
      pools: [pool({ cpus: 0 })],
      running: [running('r', 'b', 30 * minute, { choice: whole, endsAt: { p50: 45 * minute, p90: 30 * minute } })],
    }),
  );
  expect(etas.get('first')).toEqual({ p50: 45 * minute, p90: 60 * minute });
});

test('a job waits until those that make way for it have run as long as they may before', () => {
  const whole = choice({ cpus: 4 });
  const etas = forecast(
    snapshot({
      now: 2 * minute,
      queued: [job('mine', 'a', { choices: [whole] })],
      tenants: [
        tenant('a', { quotas: { cpu: { guaranteed: 4, borrowing: 0, lending: 4 } } }),
        tenant('b', { accelerators: { cpu: 4 }, running: 1 }),
      ],
      pools: [pool({ cpus: 0 })],
      running: [running('borrower', 'b', 60 * minute, { choice: whole })],
      rules: { minRuntimeMs: 5 * minute, preemptsLowerPriority: false, concentration: undefined },
    }),
  );
  expect(etas.get('mine')?.p50).toBe(5.5 * minute);
});

test('what time alone does not unblock has no expected start', () => {
  const etas = forecast(snapshot({ queued: [job('a1', 'a')], tenants: [tenant('a', { budgetLeft: 0 })] }));
  expect(etas.get('a1')).toEqual({ p50: null, p90: null });
});

test('a job that makes way waits again at its place, before those of its tenant that came later', () => {
  const whole = choice({ cpus: 4 });
  const etas = forecast(
    snapshot({
      now: 2 * minute,
      queued: [job('mine', 'a', { choices: [whole] }), job('later', 'b', { queuedAt: 1, choices: [whole] })],
      tenants: [
        tenant('a', { quotas: { cpu: { guaranteed: 4, borrowing: 0, lending: 4 } } }),
        tenant('b', { accelerators: { cpu: 4 }, running: 1 }),
      ],
      pools: [pool({ cpus: 0 })],
      running: [running('borrower', 'b', 10 * minute, { choice: whole })],
    }),
  );
  const mine = etas.get('mine')?.p50 ?? NaN;
  expect(mine).toBe(2.5 * minute);
  // The guaranteed job's ten minutes, then the ten of the one that made way, of which no checkpoint held anything.
  expect(etas.get('later')?.p50).toBe(mine + 20 * minute);
});

test('ten thousand waiting jobs of two hundred tenants hold up nobody', () => {
  const ids = Array.from({ length: 200 }, (_, index) => `tenant${index}`);
  const queued = ids.flatMap((id) => Array.from({ length: 50 }, (_, n) => job(`${id}-${n}`, id, { queuedAt: n })));
  const crowded = snapshot({
    queued,
    pools: [pool({ cpus: 0 })],
    running: ids.map((id, index) => running(`run${index}`, id, index * minute)),
  });
  const before = process.cpuUsage();
  const etas = forecast(crowded);
  const { user, system } = process.cpuUsage(before);
  // It took 80 s of the processor when all of them were followed to their starts.
  expect((user + system) / 1e6).toBeLessThan(5);
  expect(etas.get('tenant0-0')?.p50).not.toBeNull();
});
