import { Type, type Static } from 'typebox';
import { closed, Nullable, Time } from './common.ts';
import { Policy, PoolPolicy } from './tenant.ts';

/** More than this is for `npm run simulate`, which has a process of its own. */
export const maxGivenJobs = 20_000;
export const maxRecordedJobs = 50_000;
/** Of all of them together, so that a replay fits into memory. */
export const maxRecordedOptions = 400_000;

const Amount = (maximum: number, description: string) => Type.Number({ minimum: 0, maximum, description });

export const SimulationJob = Type.Object(
  {
    tenant: Type.String({ minLength: 1, description: 'The tenant’s id.' }),
    submittedAt: Time(),
    durationSeconds: Amount(1e9, 'How long it really takes.'),
    expectedSeconds: Type.Optional(
      Type.Object(
        { p50: Amount(1e9, 'Half of such jobs take no longer.'), p90: Amount(1e9, 'Nine in ten take no longer.') },
        { ...closed, description: 'What its quote says. Left out: what it really takes.' },
      ),
    ),
    priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 100, description: 'Left out: 50.' })),
    provider: Type.Optional(
      Type.String({
        description:
          'Where it runs. Left out: on the first of the capacities that could ever hold it and its tenant’s policy allows.',
      }),
    ),
    accelerators: Type.Optional(
      Type.Object(
        { kind: Type.String(), count: Type.Integer({ minimum: 1, maximum: 100_000 }) },
        { ...closed, description: 'Of each node. Left out: CPU only.' },
      ),
    ),
    cpus: Type.Optional(Amount(1e6, 'Of each node. Left out: 1, or 1 for each accelerator.')),
    memoryGiB: Type.Optional(Amount(1e6, 'Of each node. Left out: none is counted.')),
    diskGiB: Type.Optional(Amount(1e9, 'Of each node. Left out: none is counted.')),
    nodes: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000, description: 'Left out: 1.' })),
    hourlyUsd: Type.Optional(Amount(1e6, 'Of all nodes. Left out: 0.')),
    checkpointEverySeconds: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, maximum: 1e9, description: 'Left out: it stores none.' }),
    ),
  },
  { ...closed, title: 'SimulationJob' },
);
export type SimulationJob = Static<typeof SimulationJob>;

export const SimulationCapacity = Type.Object(
  {
    provider: Type.String({ minLength: 1 }),
    cpus: Amount(1e9, 'Cores.'),
    memoryGiB: Type.Optional(Amount(1e9, 'Left out: without end.')),
    diskGiB: Type.Optional(Amount(1e12, 'Left out: without end.')),
    accelerators: Type.Optional(
      Type.Object({ kind: Type.String(), count: Type.Integer({ minimum: 0, maximum: 100_000 }) }, closed),
    ),
  },
  { ...closed, title: 'SimulationCapacity' },
);
export type SimulationCapacity = Static<typeof SimulationCapacity>;

/** Without the examples that stand beside them where they are a body of their own. */
const GivenPolicy = Type.Object(Policy.properties, { ...closed, title: 'Policy' });
const GivenPoolPolicy = Type.Object(PoolPolicy.properties, { ...closed, title: 'PoolPolicy' });

const conditions = {
  capacity: Type.Optional(
    Type.Array(SimulationCapacity, {
      minItems: 1,
      maxItems: 100,
      description: 'What there is of each provider. Left out: what there is now.',
    }),
  ),
  policies: Type.Optional(
    Type.Record(Type.String(), GivenPolicy, {
      description: 'By tenant, in place of its policy. Those left out keep what they have.',
    }),
  ),
  pool: Type.Optional(GivenPoolPolicy),
};

export const NewSimulation = Type.Object(
  {
    period: Type.Optional(
      Type.Object({ from: Time(), to: Time() }, { ...closed, description: 'Replays the jobs that were queued in it.' }),
    ),
    jobs: Type.Optional(Type.Array(SimulationJob, { minItems: 1, maxItems: maxGivenJobs })),
    ...conditions,
    baseline: Type.Optional(
      Type.Boolean({
        description:
          'Also replays the same jobs under the policies and the capacity there are now, to compare with. Left out: false.',
      }),
    ),
  },
  {
    ...closed,
    title: 'NewSimulation',
    description: 'Either a period or jobs.',
    examples: [
      {
        jobs: [
          {
            tenant: 'tnt_01h455vb4pex5vsknk084sn02q',
            submittedAt: '2026-11-01T09:00:00Z',
            durationSeconds: 7200,
            expectedSeconds: { p50: 6000, p90: 9000 },
            accelerators: { kind: 'A100-80GB', count: 8 },
            hourlyUsd: 24,
          },
        ],
        capacity: [{ provider: 'local', cpus: 64, accelerators: { kind: 'A100-80GB', count: 8 } }],
        pool: { halfLife: '3d' },
      },
    ],
  },
);
export type NewSimulation = Static<typeof NewSimulation>;

const Waits = Type.Object(
  {
    mean: Nullable(Type.Number()),
    p50: Nullable(Type.Number()),
    p90: Nullable(Type.Number()),
    p95: Nullable(Type.Number()),
    p99: Nullable(Type.Number()),
    max: Nullable(Type.Number()),
  },
  {
    ...closed,
    title: 'SimulationWaits',
    description: 'From submission to the first start; null where nothing started.',
  },
);

const shared = {
  jobs: Type.Integer(),
  unstarted: Type.Integer({ description: 'Jobs that never started.' }),
  waitSeconds: Waits,
  compute: Type.Number({ description: 'PFLOP/s-days.' }),
  costUsd: Type.Number(),
};

export const SimulationOutcome = Type.Object(
  {
    ...shared,
    makespanSeconds: Type.Number({ description: 'From the first submission to the last end.' }),
    wastedCompute: Type.Number({
      description: 'PFLOP/s-days that were done for nothing, as by preempted jobs since their last checkpoint.',
    }),
    acceleratorHours: Type.Number(),
    utilization: Nullable(
      Type.Number({ description: 'Of what the capacities could have given. Null where one does not run out.' }),
    ),
    concentration: Type.Object(
      {
        hhi: Nullable(Type.Number({ description: 'Σ share² of the whole time, from 1/n to 1.' })),
        effectiveTenants: Nullable(Type.Number({ description: '1 / hhi' })),
        gini: Nullable(Type.Number()),
        largestShare: Nullable(Type.Number()),
      },
      closed,
    ),
    dailyHhi: Nullable(Type.Number({ description: 'The mean of each day’s HHI, by what the day gave.' })),
    fairnessError: Nullable(
      Type.Number({
        description:
          'The part of all compute that went to others than whom weight and demand, day by day, would have given it: 0 is fair.',
      }),
    ),
    tenants: Type.Array(
      Type.Object(
        { tenant: Type.String(), ...shared, share: Type.Number({ description: 'Of all compute.' }) },
        { ...closed, title: 'SimulationTenant' },
      ),
    ),
  },
  { ...closed, title: 'SimulationOutcome' },
);
export type SimulationOutcome = Static<typeof SimulationOutcome>;

export const Simulation = Type.Object(
  {
    jobs: Type.Integer({ description: 'How many were replayed.' }),
    recorded: Nullable(SimulationOutcome),
    baseline: Nullable(SimulationOutcome),
    simulated: SimulationOutcome,
    elapsedSeconds: Type.Number({ description: 'What the replay took.' }),
  },
  { ...closed, title: 'Simulation', description: 'What happened beside what would have happened.' },
);
export type Simulation = Static<typeof Simulation>;
