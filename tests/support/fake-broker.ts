import { createHash, type Hash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { newId } from '../../src/core/ids.ts';
import type {
  Assignment,
  Claim,
  Directive,
  Heartbeat,
  LogRecord,
  Report,
  RunnerCheckpoint,
  RunnerUpload,
} from '../../src/protocol/runner.ts';

/** An assignment of one node with nothing special. */
export function assignmentOf(overrides: Partial<Assignment> = {}): Assignment {
  const { spec, ...others } = overrides;
  return {
    job: { id: newId('job'), name: spec?.name ?? 'a', tenant: newId('tenant') },
    attempt: 1,
    node: 0,
    nodes: 1,
    spec: spec ?? { name: 'a', command: 'true' },
    secrets: {},
    source: null,
    inputs: [],
    checkpoint: [],
    limits: { cpus: 1, memoryBytes: 2 * 1024 ** 3, diskBytes: 20 * 1024 ** 3, gpus: [] },
    heartbeatSeconds: 0.2,
    leaseSeconds: 300,
    graceSeconds: 0.5,
    rendezvous: null,
    ...others,
  };
}

/** What the bucket has of an upload: kept whole only while small. */
export type ReceivedUpload = RunnerUpload & {
  id: string;
  received: number;
  bytes: Buffer[];
  hash: Hash;
  isComplete: boolean;
};

type Misbehaviour =
  | { path: string; status: number; problem: string; isLasting?: true; onCall?: () => void }
  | { path: string; dropsAnswer: true };

export type FakeBroker = {
  url: () => string;
  claims: Claim[];
  heartbeats: Heartbeat[];
  reports: Report[];
  uploads: Map<string, ReceivedUpload>;
  /** The paths of each checkpoint that was told as a whole. */
  checkpoints: string[][];
  files: Map<string, Buffer>;
  records: LogRecord[];
  /** Gaps, overlaps and bytes that do not fit their checksum. */
  faults: string[];
  directive: Directive;
  /** While this is open the bucket reads nothing of what it is sent. */
  objectsHeld: Promise<void>;
  /** The next call to this path is taken and its answer lost, or it is refused, from then on where that lasts. */
  misbehave: (how: Misbehaviour) => void;
  behave: () => void;
  texts: (stream?: LogRecord['s']) => string[];
  goAway: () => Promise<void>;
  comeBack: () => Promise<void>;
};

const maxKeptBytes = 16 * 1024 * 1024;

/** A broker and a bucket in one small HTTP server, that takes what a runner sends and can fail in the ways that brokers do. */
export async function startFakeBroker(assignment: Assignment, host = '127.0.0.1'): Promise<FakeBroker> {
  let server: Server | undefined;
  let port = 0;
  let claimedBy: string | undefined;
  const misbehaviours: Misbehaviour[] = [];

  const broker: FakeBroker = {
    url: () => `http://${host}:${port}`,
    claims: [],
    heartbeats: [],
    reports: [],
    uploads: new Map(),
    checkpoints: [],
    files: new Map(),
    records: [],
    faults: [],
    directive: { directive: 'continue', reason: null, rendezvous: null },
    objectsHeld: Promise.resolve(),
    misbehave: (how) => misbehaviours.push(how),
    behave: () => void misbehaviours.splice(0),
    texts: (stream) => broker.records.filter(({ s }) => stream === undefined || s === stream).map(({ t }) => t),
    goAway: async () => {
      const gone = server;
      server = undefined;
      gone?.closeAllConnections();
      await new Promise<void>((resolve) => (gone === undefined ? resolve() : gone.close(() => resolve())));
    },
    comeBack: async () => {
      server = createServer((request, response) => void respond(request, response));
      await new Promise<void>((resolve) => server?.listen(port, host, resolve));
      port = (server.address() as AddressInfo).port;
    },
  };

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', broker.url());
    const how = takeMatching(misbehaviours, url.pathname);
    if (how !== undefined && 'status' in how) {
      how.onCall?.();
      return answer(response, how.status, { type: `https://weir.dev/problems/${how.problem}`, detail: how.problem });
    }
    const object = /^\/objects\/(.+)$/.exec(url.pathname)?.[1];
    const taken =
      object === undefined ? takeCall(url, await bodyOf(request)) : await takeObject(broker, object, request);
    if (how !== undefined) return void response.destroy();
    answer(response, taken.status, taken.body, taken.headers);
  };

  const takeCall = (url: URL, body: Buffer): Answer => {
    const json = () => JSON.parse(body.toString()) as unknown;
    if (url.pathname.startsWith('/files/')) return download(broker.files.get(url.pathname.slice('/files/'.length)));
    if (url.pathname === '/v1/runner/claim') {
      const claim = json() as Claim;
      broker.claims.push(claim);
      claimedBy ??= claim.token;
      return claimedBy === claim.token
        ? { status: 200, body: assignment }
        : { status: 401, body: { type: 'unauthorized', detail: 'spent' } };
    }
    if (url.pathname === '/v1/runner/heartbeat') {
      broker.heartbeats.push(json() as Heartbeat);
      return { status: 200, body: broker.directive };
    }
    if (url.pathname === '/v1/runner/logs') return takeLogs(broker, url, body);
    if (url.pathname === '/v1/runner/uploads') return beginUpload(broker, json() as RunnerUpload);
    if (url.pathname === '/v1/runner/checkpoint') {
      const { artifacts } = json() as RunnerCheckpoint;
      broker.checkpoints.push(artifacts.map((id) => broker.uploads.get(id)?.path ?? `unknown ${id}`));
      return { status: 204 };
    }
    if (url.pathname === '/v1/runner/report') {
      broker.reports.push(json() as Report);
      return { status: 204 };
    }
    const completed = /^\/v1\/runner\/uploads\/(.+)\/complete$/.exec(url.pathname)?.[1];
    return completed === undefined
      ? { status: 404, body: { type: 'not-found', detail: url.pathname } }
      : completeUpload(broker, completed);
  };

  await broker.comeBack();
  return broker;
}

type Answer = { status: number; body?: unknown; headers?: Record<string, string> };

function takeMatching(misbehaviours: Misbehaviour[], path: string): Misbehaviour | undefined {
  const index = misbehaviours.findIndex((how) => path.startsWith(how.path));
  const how = misbehaviours[index];
  if (how !== undefined && !('isLasting' in how)) misbehaviours.splice(index, 1);
  return how;
}

function answer(response: ServerResponse, status: number, body?: unknown, headers: Record<string, string> = {}): void {
  const bytes = Buffer.isBuffer(body) ? body : body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  response.writeHead(status, headers).end(bytes);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function download(bytes: Buffer | undefined): Answer {
  return bytes === undefined ? { status: 404, body: {} } : { status: 200, body: bytes };
}

function takeLogs(broker: FakeBroker, url: URL, body: Buffer): Answer {
  const firstLine = Number(url.searchParams.get('firstLine'));
  const lines = Number(url.searchParams.get('lines'));
  const next = broker.records.length;
  if (firstLine + lines <= next) return { status: 204 };
  if (firstLine !== next) broker.faults.push(`lines from ${firstLine} came when ${next} was next`);
  const records = gunzipSync(body)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as LogRecord);
  if (records.length !== lines) broker.faults.push(`${records.length} records were announced as ${lines}`);
  for (const record of records) broker.records.push(record);
  return { status: 204 };
}

function beginUpload(broker: FakeBroker, upload: RunnerUpload): Answer {
  const id = newId('artifact');
  broker.uploads.set(id, { ...upload, id, received: 0, bytes: [], hash: createHash('sha256'), isComplete: false });
  return { status: 200, body: { id, url: `${broker.url()}/objects/${id}` } };
}

async function takeObject(broker: FakeBroker, id: string, request: IncomingMessage): Promise<Answer> {
  const upload = broker.uploads.get(id);
  if (upload === undefined) return { status: 404 };
  const first = /^bytes ([0-9]+)-/.exec(request.headers['content-range'] ?? '')?.[1];
  if (first !== undefined && Number(first) !== upload.received)
    broker.faults.push(`bytes from ${first} came when ${upload.received} was next`);
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      await broker.objectsHeld;
      upload.received += chunk.length;
      upload.hash.update(chunk);
      if (upload.received <= maxKeptBytes) upload.bytes.push(chunk);
    }
  } catch {
    return { status: 499 };
  }
  if (upload.received === upload.sizeBytes) return { status: 200 };
  return { status: 308, ...(upload.received === 0 ? {} : { headers: { range: `bytes=0-${upload.received - 1}` } }) };
}

function completeUpload(broker: FakeBroker, id: string): Answer {
  const upload = broker.uploads.get(id);
  if (upload === undefined) return { status: 404, body: { type: 'not-found', detail: id } };
  if (!upload.isComplete && upload.hash.digest('hex') !== upload.sha256)
    broker.faults.push(`${upload.path} has another checksum than announced`);
  upload.isComplete = true;
  return { status: 204 };
}
