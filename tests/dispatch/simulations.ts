import fc from 'fast-check';
import type { Run, Scenario, SimulatedJob } from '../../src/dispatch/simulate-jobs.ts';
import { minute } from './snapshots.ts';

/** A job of one choice on the pool of `scenario`; a case names what it is about. */
export function simulated(
  id: string,
  tenantId: string,
  of: {
    cpus?: number;
    gpus?: number;
    nodes?: number;
    minutes?: number;
    expected?: number;
    at?: number;
    priority?: number;
    hourlyUsd?: number;
  } = {},
): SimulatedJob {
  const { cpus = 1, gpus = 0, nodes = 1, minutes = 10, at = 0, priority = 50, hourlyUsd = 0 } = of;
  const expected = of.expected ?? minutes;
  const count = (gpus > 0 ? gpus : cpus) * nodes;
  return {
    id,
    tenantId,
    priority,
    submittedAt: at * minute,
    choices: [
      {
        optionId: 'option',
        provider: 'local',
        need: { cpus, memoryBytes: cpus, diskBytes: 0, gpus: { kind: gpus > 0 ? 'H100' : '', count: gpus }, nodes },
        accelerators: { kind: gpus > 0 ? 'H100' : 'cpu', count },
        petaflops: count,
        reservation: (hourlyUsd * 1_000_000 * expected) / 60,
        durationMs: { p50: expected * minute, p90: expected * minute },
        actualMs: minutes * minute,
        microUsdPerHour: hourlyUsd * 1_000_000,
      },
    ],
  };
}

export function scenario(
  jobs: SimulatedJob[],
  overrides: Partial<Scenario> & { cpus?: number; gpus?: number } = {},
): Scenario {
  const { cpus = 4, gpus = 0, ...rest } = overrides;
  const capacity = { cpus, memoryBytes: 1000, diskBytes: 1000, gpus: { kind: 'H100', count: gpus } };
  return {
    jobs,
    capacities: new Map([['local', capacity]]),
    policies: new Map(),
    poolPolicy: {},
    poolPetaflops: cpus + gpus,
    ...rest,
  };
}

export const starts = (runs: Run[]) =>
  runs.flatMap(({ jobId, stretches: [first] }) => (first === undefined ? [] : `${jobId} ${first.startedAt / minute}`));

/** Jobs that each fit into four cores and four GPUs. */
export const anyJobs = fc
  .array(
    fc.record({
      tenantId: fc.constantFrom('a', 'b', 'c'),
      at: fc.nat(120),
      minutes: fc.integer({ min: 1, max: 90 }),
      expected: fc.integer({ min: 1, max: 90 }),
      cpus: fc.integer({ min: 1, max: 4 }),
      gpus: fc.nat(4),
      priority: fc.nat(3),
    }),
    { maxLength: 40 },
  )
  .map((jobs) =>
    jobs.map(({ tenantId, ...of }, index) => simulated(`job${String(index).padStart(2, '0')}`, tenantId, of)),
  );
