import { Type, type Static } from 'typebox';
import { Blocker, closed, Id, Nullable, Percentiles, Time, Usd } from './common.ts';
import { exampleSpecs, JobSpec } from './job-spec.ts';
import { Offer, Quote } from './quote.ts';
import { Sample } from './runner.ts';

export const jobStates = ['queued', 'provisioning', 'running', 'stopping', 'succeeded', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];
export const JobStateSchema = Type.Enum([...jobStates], { title: 'JobState' });

export const NewJob = Type.Object(
  {
    ...JobSpec.properties,
    quoteId: Type.Optional(Id('quote', 'A live quote of the same spec, whose prices are kept. A source may be added.')),
    optionId: Type.Optional(
      Id('option', 'The option of that quote to run on. Left out: the recommended one, then the next on shortage.'),
    ),
  },
  { ...closed, title: 'NewJob', 'x-examples': exampleSpecs },
);
export type NewJob = Static<typeof NewJob>;

const residual =
  'What machines cost after the job had left them, until their provider no longer showed them. The operator’s: in no other figure of the job.';

const Eta = Type.Object({ p50: Nullable(Time()), p90: Nullable(Time()) }, closed);

export const Attempt = Type.Object(
  {
    number: Type.Integer(),
    state: Type.String(),
    offer: Offer,
    instance: Nullable(Type.String()),
    startedAt: Nullable(Time()),
    finishedAt: Nullable(Time()),
    exitCode: Nullable(Type.Integer()),
    reason: Nullable(Type.String()),
    message: Nullable(Type.String()),
    costUsd: Usd(),
    residualUsd: Usd(residual),
    lostSeconds: Type.Number({
      description:
        'Of an attempt whose job was tried again: what it ran since its last whole checkpoint, and has to run once more.',
    }),
    avoided: Type.Array(Type.String(), {
      description:
        'Provider and zone where earlier attempts failed by the doing of their machines, and which this one was kept from.',
    }),
  },
  { ...closed, title: 'Attempt' },
);
export type Attempt = Static<typeof Attempt>;

export const Progress = Type.Object(
  {
    done: Nullable(Type.Number()),
    total: Nullable(Type.Number()),
    unit: Nullable(Type.String()),
    eta: Eta,
    expectedCostUsd: Nullable(Usd()),
  },
  { ...closed, title: 'Progress' },
);

const TaskCounts = Type.Object(
  {
    total: Type.Integer(),
    queued: Type.Integer({ description: 'Those that wait, with those that have not been looked at yet.' }),
    provisioning: Type.Integer(),
    running: Type.Integer(),
    stopping: Type.Integer(),
    succeeded: Type.Integer(),
    failed: Type.Integer(),
    cancelled: Type.Integer(),
  },
  { ...closed, title: 'TaskCounts' },
);
export type TaskCounts = Static<typeof TaskCounts>;

export const Job = Type.Object(
  {
    id: Id('job'),
    name: Type.String(),
    tenant: Id('tenant'),
    state: JobStateSchema,
    reason: Nullable(Type.String({ description: 'Why it is in this state, as a code: docs/jobs.md lists them.' })),
    message: Nullable(Type.String({ description: 'What happened and what to do, for people.' })),
    spec: JobSpec,
    quote: Nullable(Quote),
    cost: Type.Object(
      {
        reservedUsd: Usd(),
        accruedUsd: Usd(),
        finalUsd: Nullable(Usd()),
        residualUsd: Type.Optional(Usd(`${residual} Left out of an array: its tasks have it.`)),
      },
      closed,
    ),
    progress: Type.Optional(Progress),
    tasks: Type.Optional(TaskCounts),
    task: Type.Optional(
      Type.Object(
        { array: Id('job'), index: Type.Integer() },
        { ...closed, description: 'Of a task: the array it belongs to, and its place in it, from 0.' },
      ),
    ),
    attempts: Type.Array(Attempt),
    waiting: Type.Optional(
      Type.Object({ position: Nullable(Type.Integer()), eta: Eta, blockers: Type.Array(Blocker) }, closed),
    ),
    createdAt: Time(),
    startedAt: Nullable(Time()),
    finishedAt: Nullable(Time()),
  },
  { ...closed, title: 'Job' },
);
export type Job = Static<typeof Job>;

export const JobProgress = Type.Object(
  {
    done: Nullable(Type.Number()),
    total: Nullable(Type.Number()),
    unit: Nullable(Type.String()),
    attempt: Nullable(Type.Integer({ description: 'Of which attempt the points are.' })),
    points: Type.Array(Type.Object({ at: Time(), done: Type.Number() }, closed), {
      description: 'What the job said, oldest first, thinned.',
    }),
    usage: Type.Array(
      Type.Object({ node: Type.Integer(), at: Time(), ...Sample.properties }, { ...closed, title: 'NodeUsage' }),
      { description: 'What each machine of the last attempt saw last.' },
    ),
  },
  { ...closed, title: 'JobProgress' },
);
export type JobProgress = Static<typeof JobProgress>;

/** Ascending, or with a dash descending. */
export const jobSorts = [
  '-createdAt',
  'createdAt',
  'name',
  '-name',
  '-finishedAt',
  'finishedAt',
  '-costUsd',
  'costUsd',
] as const;
export type JobSort = (typeof jobSorts)[number];

const { spec: _spec, quote: _quote, attempts: _attempts, ...summaryProperties } = Job.properties;

export const JobSummary = Type.Object(
  {
    ...summaryProperties,
    priority: Type.Integer(),
    labels: Type.Record(Type.String(), Type.String()),
    attempts: Type.Integer({ description: 'How many there have been.' }),
    accelerators: Nullable(
      Type.Object(
        { kind: Type.String(), count: Type.Integer({ description: 'Of all nodes.' }) },
        {
          ...closed,
          description: 'Of the machine that it has or last had; before, of the one that it would have first.',
        },
      ),
    ),
    machine: Nullable(
      Type.Object(
        { provider: Type.String(), zone: Type.String(), machineType: Type.String() },
        { ...closed, description: 'That it has or last had.' },
      ),
    ),
    quoted: Nullable(
      Type.Object(
        { costUsd: Percentiles, durationSeconds: Percentiles },
        { ...closed, description: 'For the machine that it would have first.' },
      ),
    ),
  },
  { ...closed, title: 'JobSummary', description: 'A job without its spec, its quote and its attempts.' },
);
export type JobSummary = Static<typeof JobSummary>;

export const JobEvent = Type.Object(
  {
    seq: Type.Integer(),
    at: Time(),
    type: Type.String({
      description:
        'job.<state>, attempt.<what>, instance.<what>; forecast.left-quote and cost.nearing-limit once in a job’s life.',
    }),
    attempt: Nullable(Type.Integer()),
    from: Nullable(JobStateSchema),
    to: Nullable(JobStateSchema),
    reason: Nullable(Type.String()),
    message: Type.String(),
  },
  { ...closed, title: 'JobEvent' },
);
export type JobEvent = Static<typeof JobEvent>;

export const Changes = Type.Object(
  {
    seq: Type.Integer({ description: 'Goes on from here: the id of this event of the stream.' }),
    jobs: Type.Array(Type.Object({ id: Id('job'), tenant: Id('tenant'), state: JobStateSchema }, closed), {
      description: 'Jobs that something happened to since the last, in the state that they are in now.',
    }),
    isPartial: Type.Boolean({ description: 'More happened than is listed: read anew all that you show.' }),
    dispatchedAt: Nullable(Time('The last round of dispatch: places, expected starts and blockers are of then.')),
  },
  { ...closed, title: 'Changes' },
);
export type Changes = Static<typeof Changes>;

export const LogLine = Type.Object(
  {
    seq: Type.Integer({ description: 'Rises through the whole job, without gaps.' }),
    attempt: Type.Integer(),
    node: Type.Integer({ description: 'Which machine of a gang, from 0.' }),
    stream: Type.Enum(['stdout', 'stderr', 'weir'], {
      description: 'weir: what the runner itself says.',
    }),
    text: Type.String(),
    at: Time(),
  },
  { ...closed, title: 'LogLine' },
);
export type LogLine = Static<typeof LogLine>;

export const Artifact = Type.Object(
  { path: Type.String(), sizeBytes: Type.Integer(), sha256: Type.String(), attempt: Type.Integer(), createdAt: Time() },
  { ...closed, title: 'Artifact' },
);
export type Artifact = Static<typeof Artifact>;

export const Upload = Type.Object(
  {
    id: Id('upload'),
    uri: Type.String({ description: 'What a spec names: weir://uploads/<id>.' }),
    url: Type.String({ description: 'PUT the bytes here. The URL is signed and expires.' }),
    method: Type.Literal('PUT'),
    headers: Type.Record(Type.String(), Type.String()),
    expiresAt: Time(),
    complete: Type.Boolean({ description: 'All bytes are there: nothing is to be sent.' }),
  },
  { ...closed, title: 'Upload' },
);
export type Upload = Static<typeof Upload>;

export const NewUpload = Type.Object(
  {
    name: Type.Optional(Type.String({ maxLength: 255 })),
    sizeBytes: Type.Optional(Type.Integer({ minimum: 0, maximum: 5 * 1024 ** 4, description: 'Up to 5 TiB.' })),
    sha256: Type.Optional(
      Type.String({
        pattern: '^[0-9a-f]{64}$',
        description:
          'Bytes with another checksum are refused. With sizeBytes: where your tenant has such bytes already, that upload is the answer, kept for as long as a new one.',
      }),
    ),
  },
  { ...closed, title: 'NewUpload', examples: [{ name: 'source.tar.gz' }] },
);
export type NewUpload = Static<typeof NewUpload>;
