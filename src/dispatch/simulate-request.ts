import type { Fault } from '../core/errors.ts';
import { fromUsd } from '../core/money.ts';
import { hourMs } from '../core/time.ts';
import type { NewSimulation, SimulationCapacity, SimulationJob } from '../protocol/simulation.ts';
import type { Capacity } from '../providers/provider.ts';
import type { Capacities } from './capacity.ts';
import { createBindings } from './simulate-bindings.ts';
import type { Scenario, SimulatedJob } from './simulate-jobs.ts';

const gib = 1024 ** 3;
const defaultPriority = 50;

export function givenCapacities(given: readonly SimulationCapacity[]): Map<string, Capacity> {
  return new Map(
    given.map(({ provider, cpus, memoryGiB = Infinity, diskGiB = Infinity, accelerators }) => [
      provider,
      {
        cpus,
        memoryBytes: memoryGiB * gib,
        diskBytes: diskGiB * gib,
        gpus: accelerators ?? { kind: 'none', count: 0 },
      },
    ]),
  );
}

type Around = Pick<Scenario, 'capacities' | 'policies'> & { petaflopsPerAccelerator: (kind: string) => number };

/** Jobs as a caller gives them, ready to be replayed. They must have passed `givenFaults`. */
export function givenJobs(
  jobs: readonly SimulationJob[],
  { capacities, policies, petaflopsPerAccelerator }: Around,
): SimulatedJob[] {
  const bindings = createBindings(policies);
  const digits = String(jobs.length).length;
  return jobs.map((job, index) => {
    const { tenant, submittedAt, durationSeconds, expectedSeconds, priority = defaultPriority, hourlyUsd = 0 } = job;
    const need = needOf(job);
    const holders = holdersOf(job, capacities);
    const { providers = holders } = bindings(tenant);
    const provider = holders.find((name) => providers.includes(name)) ?? holders[0] ?? '';
    const isCpu = job.accelerators === undefined;
    const count = (isCpu ? need.cpus : need.gpus.count) * need.nodes;
    const kind = isCpu ? 'cpu' : need.gpus.kind;
    const { p50, p90 } = expectedSeconds ?? { p50: durationSeconds, p90: durationSeconds };
    return {
      id: `job ${String(index).padStart(digits, '0')}`,
      tenantId: tenant,
      priority,
      submittedAt: Date.parse(submittedAt),
      choices: [
        {
          optionId: provider,
          provider,
          need,
          accelerators: { kind, count },
          petaflops: petaflopsPerAccelerator(kind) * count,
          reservation: Math.ceil((fromUsd(hourlyUsd) * p90 * 1000) / hourMs),
          durationMs: { p50: p50 * 1000, p90: p90 * 1000 },
          actualMs: durationSeconds * 1000,
          microUsdPerHour: fromUsd(hourlyUsd),
        },
      ],
      ...(job.checkpointEverySeconds === undefined ? {} : { checkpointEveryMs: job.checkpointEverySeconds * 1000 }),
    };
  });
}

function needOf({ accelerators, cpus, memoryGiB = 0, diskGiB = 0, nodes = 1 }: SimulationJob) {
  return {
    cpus: cpus ?? accelerators?.count ?? 1,
    memoryBytes: memoryGiB * gib,
    diskBytes: diskGiB * gib,
    gpus: accelerators ?? { kind: '', count: 0 },
    nodes,
  };
}

/** The providers that could hold the job were nothing else there. */
function holdersOf(job: SimulationJob, capacities: Capacities): string[] {
  const { cpus, memoryBytes, diskBytes, gpus, nodes } = needOf(job);
  return [...capacities].flatMap(([name, capacity]) => {
    if (job.provider !== undefined && job.provider !== name) return [];
    if (capacity === undefined) return [name];
    const hasGpus = gpus.count === 0 || (capacity.gpus.kind === gpus.kind && gpus.count * nodes <= capacity.gpus.count);
    const holds =
      cpus * nodes <= capacity.cpus &&
      memoryBytes * nodes <= capacity.memoryBytes &&
      diskBytes * nodes <= capacity.diskBytes;
    return hasGpus && holds ? [name] : [];
  });
}

const maxFaults = 20;

/** What the schema can't say of given jobs and capacities. */
export function givenFaults({ jobs = [], capacity = [], period }: NewSimulation, capacities: Capacities): Fault[] {
  return [
    ...sourceFaults(jobs, period),
    ...capacityFaults(capacity),
    ...jobs.flatMap((job, index) => jobFaults(job, index, capacities)),
  ].slice(0, maxFaults);
}

function sourceFaults(jobs: readonly SimulationJob[], period: NewSimulation['period']): Fault[] {
  if (jobs.length > 0 && period !== undefined)
    return [{ pointer: '/jobs', detail: 'Give either a period, whose recorded jobs are replayed, or jobs.' }];
  if (jobs.length === 0 && period === undefined)
    return [{ pointer: '/period', detail: 'Give a period, whose recorded jobs are replayed, or jobs.' }];
  if (period !== undefined && Date.parse(period.from) >= Date.parse(period.to))
    return [{ pointer: '/period/to', detail: 'The period ends before it begins: to must be later than from.' }];
  return [];
}

function capacityFaults(capacity: readonly SimulationCapacity[]): Fault[] {
  const names = capacity.map(({ provider }) => provider);
  return names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [{ pointer: `/capacity/${index}/provider`, detail: `${name} is there already; give each provider once.` }],
  );
}

function jobFaults(job: SimulationJob, index: number, capacities: Capacities): Fault[] {
  if (job.provider !== undefined && !capacities.has(job.provider)) {
    const detail = `There is no capacity of ${job.provider}; there is of ${[...capacities.keys()].join(', ')}.`;
    return [{ pointer: `/jobs/${index}/provider`, detail }];
  }
  const { expectedSeconds } = job;
  if (expectedSeconds !== undefined && expectedSeconds.p90 < expectedSeconds.p50)
    return [{ pointer: `/jobs/${index}/expectedSeconds/p90`, detail: 'p90 can’t be less than p50.' }];
  if (holdersOf(job, capacities).length > 0) return [];
  const detail = 'No capacity could ever hold this job: ask for less, or give more capacity.';
  return [{ pointer: `/jobs/${index}`, detail }];
}
