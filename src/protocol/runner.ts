import { Type, type Static } from 'typebox';
import { closed, Id, Nullable } from './common.ts';
import { JobSpec } from './job-spec.ts';
import { maxPathBytes } from './limits.ts';

/**
 * What a runner and the broker say to each other, under /v1/runner. The runner only calls out.
 *
 * 0. `stage`: on a cloud's machine the boot script says with the bootstrap token what it is doing.
 * 1. `claim`: the single-use bootstrap token buys a token of the runner's own making, good for one
 *    node of one attempt. Repeating it with the same token is the same claim, so a lost answer costs nothing.
 * 2. `heartbeat`: extends the lease and brings back what to do.
 * 3. `logs`, `uploads`, `checkpoint`: what the job produced, and which files are a checkpoint together; each repeatable.
 * 4. `report`: the end; after it the token is worth nothing.
 *
 * Every call after the claim carries `Authorization: Bearer <token>` and the attempt's number. Where the job has
 * moved on to another attempt, the answer is 409 with type `stale-attempt`, nothing is changed, and the
 * runner stops its job and leaves.
 */
export const Claim = Type.Object(
  {
    bootstrapToken: Type.String({ minLength: 32, maxLength: 128 }),
    token: Type.String({
      minLength: 32,
      maxLength: 128,
      description: 'Chosen by the runner; the broker stores its hash.',
    }),
    address: Type.String({ description: 'Where the other nodes of the gang reach this one.' }),
    port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'A free port there, for the rendezvous.' }),
    host: Type.Object(
      { hostname: Type.String(), cpus: Type.Number(), memoryBytes: Type.Integer(), gpus: Type.Array(Type.String()) },
      closed,
    ),
  },
  { ...closed, title: 'RunnerClaim' },
);
export type Claim = Static<typeof Claim>;

export const bootStages = [
  'booted',
  'waiting-for-gpus',
  'installing-containers',
  'fetching-runner',
  'checking-runner',
  'starting-runner',
  'failed',
] as const;

/** What a machine is doing before its runner is up. */
export const BootReport = Type.Object(
  {
    bootstrapToken: Type.String({ minLength: 32, maxLength: 128 }),
    stage: Type.Enum([...bootStages]),
    message: Type.String({ maxLength: 500, description: 'Why, where it failed; else empty.' }),
  },
  { ...closed, title: 'RunnerBootReport' },
);
export type BootReport = Static<typeof BootReport>;

/** The addresses of all nodes, in order, once each has claimed. */
export const Rendezvous = Type.Array(Type.Object({ address: Type.String(), port: Type.Integer() }, closed));
export type Rendezvous = Static<typeof Rendezvous>;

const Download = Type.Object(
  { url: Type.String(), path: Type.String(), sha256: Nullable(Type.String()), sizeBytes: Nullable(Type.Integer()) },
  closed,
);

export const Assignment = Type.Object(
  {
    job: Type.Object({ id: Id('job'), name: Type.String(), tenant: Id('tenant') }, closed),
    attempt: Type.Integer({ minimum: 1 }),
    node: Type.Integer({ minimum: 0 }),
    nodes: Type.Integer({ minimum: 1 }),
    spec: JobSpec,
    secrets: Type.Record(Type.String(), Type.String()),
    source: Nullable(Download),
    inputs: Type.Array(Download, { description: 'Signed URLs for weir:// inputs; the others as the spec has them.' }),
    checkpoint: Type.Array(Download, {
      description: 'Files of the last checkpoint of an earlier attempt, to restore.',
    }),
    limits: Type.Object(
      { cpus: Type.Number(), memoryBytes: Type.Integer(), diskBytes: Type.Integer(), gpus: Type.Array(Type.Integer()) },
      { ...closed, description: 'What the job may use of this machine.' },
    ),
    heartbeatSeconds: Type.Number(),
    leaseSeconds: Type.Number({ description: 'With no broker for so long, a cloud machine shuts itself down.' }),
    graceSeconds: Type.Number({ description: 'Between SIGTERM and SIGKILL.' }),
    rendezvous: Nullable(Rendezvous),
  },
  { ...closed, title: 'RunnerAssignment' },
);
export type Assignment = Static<typeof Assignment>;

export const runnerStages = ['preparing', 'setup', 'running', 'uploading'] as const;

export const Sample = Type.Object(
  {
    cpuPercent: Type.Number({ description: 'Of one core; 400 is four cores busy.' }),
    memoryBytes: Type.Integer(),
    gpus: Type.Array(
      Type.Object({ index: Type.Integer(), utilizationPercent: Type.Number(), memoryBytes: Type.Integer() }, closed),
    ),
  },
  { ...closed, title: 'RunnerSample' },
);

export const Heartbeat = Type.Object(
  {
    attempt: Type.Integer(),
    stage: Type.Enum([...runnerStages]),
    sample: Type.Optional(Sample),
    progress: Type.Optional(
      Type.Object(
        {
          done: Type.Number(),
          total: Nullable(Type.Number()),
          unit: Nullable(Type.String()),
          ageMs: Type.Optional(Type.Integer({ minimum: 0, description: 'How long ago the job said so.' })),
        },
        closed,
      ),
    ),
  },
  { ...closed, title: 'RunnerHeartbeat' },
);
export type Heartbeat = Static<typeof Heartbeat>;

export const Directive = Type.Object(
  {
    directive: Type.Enum(['continue', 'stop']),
    reason: Nullable(Type.String({ description: 'Why to stop.' })),
    rendezvous: Nullable(Rendezvous),
  },
  { ...closed, title: 'RunnerDirective' },
);
export type Directive = Static<typeof Directive>;

/** Query of POST /v1/runner/logs. The body is gzip of one JSON object a line: `LogRecord`. */
export const LogChunk = Type.Object(
  {
    attempt: Type.Integer(),
    firstLine: Type.Integer({
      minimum: 0,
      description: 'Of this node in this attempt, from 0; a repeated chunk is dropped.',
    }),
    lines: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
  },
  closed,
);
export type LogChunk = Static<typeof LogChunk>;

/** One line in a chunk: stream (o: stdout, e: stderr, w: weir), text, and milliseconds since 1970. */
export type LogRecord = { s: 'o' | 'e' | 'w'; t: string; at: number };

export { maxLogChunkBytes } from './limits.ts';

export const RunnerUpload = Type.Object(
  {
    attempt: Type.Integer(),
    path: Type.String({ minLength: 1, maxLength: maxPathBytes, description: 'Relative to the working directory.' }),
    kind: Type.Enum(['output', 'checkpoint']),
    sizeBytes: Type.Integer({ minimum: 0 }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    md5: Type.String({ pattern: '^[0-9a-f]{32}$', description: 'What object stores can compare.' }),
  },
  { ...closed, title: 'RunnerUpload' },
);
export type RunnerUpload = Static<typeof RunnerUpload>;

/**
 * Where to send the bytes. `url` is a resumable session as Cloud Storage defines it: PUT with
 * `Content-Range: bytes a-b/total`; 308 with `Range` asks for more; `Content-Range: bytes *\/total` asks how far it is.
 */
export const UploadTicket = Type.Object(
  { id: Id('artifact'), url: Nullable(Type.String({ description: 'Null where the bytes are already there.' })) },
  { ...closed, title: 'RunnerUploadTicket' },
);
export type UploadTicket = Static<typeof UploadTicket>;

/** No checkpoint has more files. */
const maxCheckpointFiles = 50_000;

export const RunnerCheckpoint = Type.Object(
  {
    attempt: Type.Integer(),
    artifacts: Type.Array(Id('artifact'), {
      minItems: 1,
      maxItems: maxCheckpointFiles,
      description:
        'All files of the node’s checkpoint, as they lay there together, each of them complete. An attempt that follows is given these, and no file that is not among them.',
    }),
  },
  { ...closed, title: 'RunnerCheckpoint' },
);
export type RunnerCheckpoint = Static<typeof RunnerCheckpoint>;

/** Why a job ended, as the runner saw it. The broker adds its own reasons: see jobs/state.ts. */
export const runnerReasons = [
  'completed',
  'exit-code',
  'signal',
  'stopped',
  'command-not-found',
  'setup-failed',
  'source-unavailable',
  'input-unavailable',
  'image-unavailable',
  'out-of-memory',
  'disk-full',
  'log-line-too-long',
  'processes-left-behind',
  'max-duration',
  'preemption',
  'output-refused',
  'upload-failed',
  'storage-refused',
  'machine-disk-full',
  'isolation-unavailable',
  'runner-error',
] as const;

export const Report = Type.Object(
  {
    attempt: Type.Integer(),
    reason: Type.Enum([...runnerReasons]),
    message: Type.String({ maxLength: 2000, description: 'For the tenant: what happened and what to do.' }),
    exitCode: Nullable(Type.Integer()),
    lines: Type.Integer({ minimum: 0, description: 'How many log lines were sent in all.' }),
  },
  { ...closed, title: 'RunnerReport' },
);
export type Report = Static<typeof Report>;

/** How the local provider keeps a job from the rest of the machine. `none`: not at all, so one tenant only. */
export type Isolation = { kind: 'bubblewrap'; uid: number | null } | { kind: 'user'; uid: number } | { kind: 'none' };

/**
 * What the runner is started with: a JSON file of mode 600, named by its only argument. Written by the local provider or by a
 * cloud machine's boot script, and deleted by the runner once it has claimed.
 */
export type Boot = {
  brokerUrl: string;
  bootstrapToken: string;
  /** The runner's own: spool of unsent logs, its token and state. Mode 700, invisible to the job. */
  stateDir: string;
  /** The job's working directory. Made by the runner, given to the job's uid. */
  workDir: string;
  /** The job's temporary files, on the same disk. Made by the runner like `workDir`. */
  tmpDir: string;
  /** Files and directories of weir's own that no job may see, wherever they lie. */
  hidden: string[];
  address: string;
  isolation: Isolation;
  /** Directories with programs the job may use that its PATH would not reach, such as one with `node`. */
  toolDirs: string[];
  /** Environment of the host that the job is given, such as LANG or PIP_INDEX_URL. */
  env: Record<string, string>;
  /** True on a machine of the runner's own, which it shuts down when it has had no broker for the lease's time. */
  ownsMachine: boolean;
  /** On Google Cloud: where its metadata server gives notice that the machine will be taken away. */
  metadataHost?: string;
};
