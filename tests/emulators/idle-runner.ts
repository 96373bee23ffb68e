import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Assignment, Directive, Report } from '../../src/protocol/runner.ts';
import type { Guest } from './gcp/guest.ts';

export type IdleRunners = {
  start: (guest: Guest) => void;
  stop: (guest: Guest) => void;
  /** Runners at work now. */
  running: () => number;
  /** How often a broker took a report that the job was completed, by job. */
  completions: Map<string, number>;
  heartbeats: () => number;
  /** Ends the job of every runner that is at work from now on. */
  finishAll: () => void;
  close: () => void;
};

export type IdleOptions = {
  /** How long each job takes; it can be ended before. */
  workMs: number;
  /** In place of what the broker asks for. */
  heartbeatMs?: number;
};

/**
 * Runners without a process, for instances that are only records: they speak the protocol as the real one does, and their jobs
 * do nothing. A broker that is away is asked again.
 */
export function createIdleRunners({ workMs, heartbeatMs }: IdleOptions): IdleRunners {
  const stops = new Map<Guest, AbortController>();
  const completions = new Map<string, number>();
  let heartbeats = 0;
  let finishing = new AbortController();

  const run = async (guest: Guest, signal: AbortSignal): Promise<void> => {
    const broker = createBroker(guest.attribute('weir-broker-url') ?? '', signal);
    const assignment = await broker.claim(bootstrapTokenOf(guest));
    const { attempt, job, heartbeatSeconds } = assignment;
    const endMs = Date.now() + workMs;
    const mustEnd = finishing.signal;
    let isTold = false;
    for (;;) {
      const { directive } = await broker.post<Directive>('heartbeat', { attempt, stage: 'running' });
      heartbeats += 1;
      isTold = directive === 'stop';
      const leftMs = endMs - Date.now();
      if (isTold || mustEnd.aborted || leftMs <= 0) break;
      const pauseMs = Math.min(heartbeatMs ?? heartbeatSeconds * 1000, leftMs);
      await sleep(pauseMs, undefined, { signal: AbortSignal.any([signal, mustEnd]) }).catch(() => undefined);
      signal.throwIfAborted();
    }
    const reason = isTold ? 'stopped' : 'completed';
    const report: Report = { attempt, reason, message: 'The command ended.', exitCode: isTold ? null : 0, lines: 0 };
    await broker.post('report', report);
    if (!isTold) completions.set(job.id, (completions.get(job.id) ?? 0) + 1);
  };

  return {
    completions,
    running: () => stops.size,
    heartbeats: () => heartbeats,
    start: (guest) => {
      const stop = new AbortController();
      stops.set(guest, stop);
      // What ends it is the instance's end, or a broker that has no use for it any more.
      void run(guest, stop.signal)
        .catch(() => undefined)
        .finally(() => stops.delete(guest));
    },
    stop: (guest) => stops.get(guest)?.abort(),
    finishAll: () => {
      finishing.abort();
      finishing = new AbortController();
    },
    close: () => {
      for (const stop of stops.values()) stop.abort();
    },
  };
}

/** Of the tokens that all hosts of a slice have, each takes that of its number; a machine has its own alone. */
function bootstrapTokenOf(guest: Guest): string {
  const tokens = (guest.attribute('weir-bootstrap-tokens') ?? '').trim().split('\n');
  return tokens[guest.attribute('weir-node') === 'slice' ? Number(guest.attribute('agent-worker-number')) : 0] ?? '';
}

class Refused extends Error {}

function createBroker(brokerUrl: string, signal: AbortSignal) {
  const token = randomBytes(32).toString('base64url');
  const post = async <Answer>(path: string, body: object): Promise<Answer> => {
    for (;;) {
      const response = await fetch(new URL(`/v1/runner/${path}`, brokerUrl), {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal,
      }).catch(() => undefined);
      signal.throwIfAborted();
      const text = await response?.text().catch(() => undefined);
      if (response !== undefined && text !== undefined) {
        if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as Answer;
        if (response.status < 500 && response.status !== 429) throw new Refused(text);
      }
      await sleep(100, undefined, { signal });
    }
  };
  const host = { hostname: 'idle', cpus: 4, memoryBytes: 16 * 1024 ** 3, gpus: [] };
  return {
    post,
    claim: (bootstrapToken: string) =>
      post<Assignment>('claim', { bootstrapToken, token, address: '127.0.0.1', port: 1, host }),
  };
}
