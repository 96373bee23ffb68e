import type {
  Assignment,
  Claim,
  Directive,
  Heartbeat,
  Report,
  RunnerUpload,
  UploadTicket,
} from '../protocol/runner.ts';
import { callHttp, type HttpAnswer } from './http-call.ts';
import { backOff, isPassing } from './retry.ts';

/** This attempt is over: the job is killed and the runner leaves. */
export class StaleAttempt extends Error {}

/** The broker will never take this call. */
export class Refused extends Error {
  readonly status: number;
  /** The last part of the problem's type, such as `checksum-mismatch`. */
  readonly problem: string;
  constructor(status: number, problem: string, detail: string) {
    super(detail);
    this.status = status;
    this.problem = problem;
  }

  /** The broker's own storage takes and gives nothing until an operator has changed something. */
  get isOfStorage(): boolean {
    return this.problem === 'storage-refused';
  }
}

export type LogDelivery = { firstLine: number; lines: number; bytes: Buffer };

/** The broker as the runner sees it: each call comes back only when the broker has taken it, however long it is away. */
export type Broker = {
  claim: (claim: Claim) => Promise<Assignment>;
  heartbeat: (heartbeat: Heartbeat) => Promise<Directive>;
  sendLogs: (attempt: number, delivery: LogDelivery) => Promise<void>;
  beginUpload: (upload: RunnerUpload) => Promise<UploadTicket>;
  completeUpload: (id: string, attempt: number) => Promise<void>;
  nameCheckpoint: (attempt: number, artifacts: string[]) => Promise<void>;
  report: (report: Report) => Promise<void>;
  silentMs: () => number;
  /** Rejects with StaleAttempt once any call has been told so. */
  staleness: Promise<never>;
};

const answerTimeoutMs = 20_000;

export function createBroker(brokerUrl: string, token: string, signal: AbortSignal): Broker {
  let lastHeardMs = performance.now();
  let tellStale: (error: StaleAttempt) => void = () => undefined;
  const staleness = new Promise<never>((_resolve, reject) => (tellStale = reject));
  staleness.catch(() => undefined);

  const answered = (answer: HttpAnswer): HttpAnswer => {
    lastHeardMs = performance.now();
    if (answer.status < 300) return answer;
    const refusal = refusalOf(answer);
    // A token that the broker has forgotten is as good as an attempt that is over.
    if (refusal.problem === 'stale-attempt' || refusal.status === 401) {
      const stale = new StaleAttempt(refusal.message);
      tellStale(stale);
      throw stale;
    }
    throw refusal;
  };

  const post = async (path: string, contentType: string, body: Buffer): Promise<HttpAnswer> => {
    for (let failures = 0; ; failures++) {
      const answer = await callHttp({
        method: 'POST',
        url: new URL(path, brokerUrl),
        headers: { authorization: `Bearer ${token}`, 'content-type': contentType },
        body,
        idleTimeoutMs: answerTimeoutMs,
        signal,
      }).catch(() => undefined);
      signal.throwIfAborted();
      if (answer !== undefined && (!isPassing(answer.status) || refusalOf(answer).isOfStorage)) return answered(answer);
      await backOff(failures, signal);
    }
  };
  const postJson = async (path: string, body: unknown): Promise<unknown> => {
    const answer = await post(path, 'application/json', Buffer.from(JSON.stringify(body)));
    return answer.body.length === 0 ? undefined : JSON.parse(answer.body.toString());
  };

  return {
    claim: async (claim) => (await postJson('/v1/runner/claim', claim)) as Assignment,
    heartbeat: async (heartbeat) => (await postJson('/v1/runner/heartbeat', heartbeat)) as Directive,
    sendLogs: async (attempt, { firstLine, lines, bytes }) => {
      await post(`/v1/runner/logs?attempt=${attempt}&firstLine=${firstLine}&lines=${lines}`, 'application/gzip', bytes);
    },
    beginUpload: async (upload) => (await postJson('/v1/runner/uploads', upload)) as UploadTicket,
    completeUpload: async (id, attempt) => void (await postJson(`/v1/runner/uploads/${id}/complete`, { attempt })),
    nameCheckpoint: async (attempt, artifacts) =>
      void (await postJson('/v1/runner/checkpoint', { attempt, artifacts })),
    report: async (report) => void (await postJson('/v1/runner/report', report)),
    silentMs: () => performance.now() - lastHeardMs,
    staleness,
  };
}

function refusalOf(answer: HttpAnswer): Refused {
  try {
    const { type, detail } = JSON.parse(answer.body.toString()) as { type?: string; detail?: string };
    return new Refused(answer.status, type?.split('/').at(-1) ?? '', detail ?? `HTTP ${answer.status}`);
  } catch {
    return new Refused(answer.status, '', `HTTP ${answer.status}`);
  }
}
