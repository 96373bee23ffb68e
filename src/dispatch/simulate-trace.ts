import { computePetaflopsPerAccelerator } from '../quotes/catalogue.ts';
import { petaflopsOf } from './capacity.ts';
import type { Scenario, SimulatedJob } from './simulate-jobs.ts';
import type { SwfJob, SwfTrace } from './simulate-swf.ts';

/**
 * What a trace's jobs are expected to take: `declared` by their users, `predicted` from what the same tenant's jobs took
 * before, or `perfect`.
 */
export const durationSources = ['declared', 'predicted', 'perfect'] as const;
export type DurationSource = (typeof durationSources)[number];

export type TraceOptions = {
  tenants: 'user' | 'group';
  durations: DurationSource;
  /** Of the machine. */
  processors: number;
  /** The jobs arrive so much faster, or slower, that they ask for this part of the machine; as they came where left out. */
  load?: number;
};

const provider = 'trace';

/** Jobs of a trace on one machine of so many processors: a tenant is a user or a group, a processor is a core. */
export function traceScenario(trace: SwfTrace, options: TraceOptions): Scenario {
  const jobs = scaled(trace, options);
  const expected = expectations(jobs, options);
  const gpus = { kind: 'none', count: 0 };
  const whole = { cpus: options.processors, memoryBytes: Infinity, diskBytes: Infinity, gpus };
  const capacities = new Map([[provider, whole]]);
  const petaflopsPerCore = computePetaflopsPerAccelerator('cpu');
  return {
    jobs: jobs.map((job, index): SimulatedJob => {
      const cpus = job.processors;
      return {
        id: String(job.line).padStart(idDigits, '0'),
        tenantId: job[options.tenants],
        priority: 0,
        submittedAt: (trace.startSeconds + job.submitSeconds) * 1000,
        choices: [
          {
            optionId: provider,
            provider,
            need: { cpus, memoryBytes: 0, diskBytes: 0, gpus: { kind: '', count: 0 }, nodes: 1 },
            accelerators: { kind: 'cpu', count: cpus },
            petaflops: cpus * petaflopsPerCore,
            reservation: 0,
            durationMs: expected[index] ?? { p50: 0, p90: 0 },
            actualMs: job.runSeconds * 1000,
            microUsdPerHour: 0,
          },
        ],
      };
    }),
    capacities,
    policies: new Map(),
    poolPolicy: {},
    poolPetaflops: petaflopsOf(capacities, computePetaflopsPerAccelerator),
  };
}

/** So that ids are in the order of lines. */
const idDigits = 9;

/** The part of the machine that the jobs ask for while they arrive. */
export function offeredLoad(jobs: readonly SwfJob[], processors: number): number {
  let work = 0;
  let first = Infinity;
  let last = -Infinity;
  for (const job of jobs) {
    work += job.runSeconds * job.processors;
    first = Math.min(first, job.submitSeconds);
    last = Math.max(last, job.submitSeconds);
  }
  return jobs.length === 0 ? 0 : work / (processors * Math.max(1, last - first));
}

/** All gaps between arrivals are stretched alike, so that who came before whom stays. */
function scaled({ jobs }: SwfTrace, { load, processors }: TraceOptions): SwfJob[] {
  const inOrder = jobs.toSorted((a, b) => a.submitSeconds - b.submitSeconds || a.line - b.line);
  if (load === undefined) return inOrder;
  const stretch = offeredLoad(jobs, processors) / load;
  return inOrder.map((job) => ({ ...job, submitSeconds: job.submitSeconds * stretch }));
}

type Expected = { p50: number; p90: number };

function expectations(jobs: readonly SwfJob[], { durations, tenants }: TraceOptions): Expected[] {
  if (durations === 'predicted') return predictions(jobs, tenants);
  return jobs.map(({ runSeconds, requestedSeconds }) => {
    const seconds = durations === 'declared' ? (requestedSeconds ?? runSeconds) : runSeconds;
    return { p50: seconds * 1000, p90: seconds * 1000 };
  });
}

/** Of a tenant of which nothing has ended yet. */
const unknownSeconds = 3600;
const recentJobs = 2;
const recentErrors = 50;

type Ended = { job: SwfJob; endsAt: number; predicted: number };

/**
 * The mean of the last two that ended of the same tenant and width, else of the same tenant (Tsafrir, Etsion, Feitelson,
 * Backfilling Using System-Generated Predictions, IEEE TPDS 18(6), 2007), and for p90 that mean times the nine-tenths quantile
 * of actual ÷ predicted among the tenant's last fifty.
 */
function predictions(jobs: readonly SwfJob[], tenants: TraceOptions['tenants']): Expected[] {
  const history = new Map<string, Ended[]>();
  return jobs.map((job) => {
    const own = history.get(job[tenants]) ?? [];
    history.set(job[tenants], own);
    const ended = own.filter(({ endsAt }) => endsAt <= job.submitSeconds).slice(-recentErrors);
    const alike = ended.filter(({ job: { processors } }) => processors === job.processors);
    const recent = (alike.length > 0 ? alike : ended).slice(-recentJobs);
    const seconds =
      recent.length === 0
        ? unknownSeconds
        : Math.max(1, recent.reduce((sum, { job: { runSeconds } }) => sum + runSeconds, 0) / recent.length);
    const errors = ended.map(({ job: { runSeconds }, predicted }) => runSeconds / predicted).toSorted((a, b) => a - b);
    const spread = Math.max(1, errors[Math.ceil(0.9 * errors.length) - 1] ?? 1);
    own.push({ job, endsAt: job.submitSeconds + (job.waitSeconds ?? 0) + job.runSeconds, predicted: seconds });
    if (own.length > keptJobs) own.splice(0, own.length - keptJobs);
    return { p50: seconds * 1000, p90: seconds * spread * 1000 };
  });
}

/** Of a tenant, the last so many that were submitted. */
const keptJobs = 200;
