import { setTimeout as sleep } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { createBatcher } from '../core/batch.ts';
import { openPostgres, openRedis, type Backend } from './backend.ts';

/**
 * Wake-ups. A message names a step and a row; the row is the truth, so a message may be lost, doubled or late. The sweep
 * of each worker sends what is missing again.
 */
export const steps = [
  'dispatch',
  'launch',
  // Of machines that are this one: they are there at once, and stand behind none that a cloud makes.
  'launch-here',
  'settle',
  'deliver',
  'calibrate',
  'rollup',
  'prices',
  'quotas',
] as const;
export type Step = (typeof steps)[number];

export type WakeUp = { step: Step; id: string; version: number; delayMs?: number };

export type Queues = {
  /**
   * Asking twice for the same row and version is asking once; asking while it is being handled has it handled once more.
   * Never fails: a message that could not be sent is one that the sweep sends again.
   */
  wake: (wakeUp: WakeUp) => Promise<void>;
  work: (step: Step, concurrency: number, handle: (id: string) => Promise<void>) => void;
  /** How many wake-ups wait in each queue, those for later included. */
  backlog: () => Promise<Record<Step, number>>;
  isReady: () => Promise<boolean>;
  /** Lets what is being handled come to its end, for some seconds. */
  close: () => Promise<void>;
};

export type QueueOptions = { databaseUrl: string; redisUrl: string | undefined; onError: (error: unknown) => void };

const jobOptions = {
  removeOnComplete: true,
  removeOnFail: true,
  attempts: 4,
  backoff: { type: 'exponential', delay: 250 },
} as const;

/**
 * A worker unheard for `lockMs` counts as killed, and whoever looks next, every `lostWorkersMs`, takes its step. Steps are
 * repeatable, so a false alarm costs little.
 */
const lockMs = 4_000;
const lostWorkersMs = 2_000;

const readyTimeoutMs = 2_000;

/** With Redis or PostgreSQL away, closing would wait for its return. */
const closeGraceMs = 4_000;

export async function createQueues({ databaseUrl, redisUrl, onError }: QueueOptions): Promise<Queues> {
  // The one line that chooses: Redis for many workers on many hosts, else PostgreSQL.
  const backend =
    redisUrl === undefined ? await openPostgres(databaseUrl, steps.length) : await openRedis(redisUrl, onError);
  const queues = openQueues(backend, onError);
  const senders = Object.fromEntries(steps.map((step) => [step, createSender(queues[step])])) as Record<Step, Send>;
  const workers: { close: () => Promise<void> }[] = [];

  return {
    wake: async ({ step, id, version, delayMs = 0 }) => {
      // Asking for later must not hide asking for now.
      const key = delayMs === 0 ? `${id}-${version}` : `${id}-${version}-later`;
      const deduplication = { id: key, keepLastIfActive: true };
      await senders[step]({ name: step, data: { id }, opts: { deduplication, delay: delayMs } }).catch(onError);
    },
    work: (step, concurrency, handle) => {
      const worker = new Worker(
        step,
        ({ data }: { data: { id: string } }) => handle(data.id),
        {
          connection: backend.workers,
          prefix: 'weir',
          concurrency,
          drainDelay: backend.idlePollSeconds,
          lockDuration: lockMs,
          stalledInterval: lostWorkersMs,
          maxStalledCount: jobOptions.attempts,
        },
        backend.factory,
      );
      worker.on('error', onError).on('failed', (_job, error) => onError(error));
      workers.push(worker);
    },
    backlog: async () => {
      const counts = steps.map(async (step) => [
        step,
        await queues[step].getJobCountByTypes('waiting', 'delayed', 'prioritized'),
      ]);
      return Object.fromEntries(await Promise.all(counts)) as Record<Step, number>;
    },
    isReady: async () =>
      (await within(
        readyTimeoutMs,
        backend.ping().then(
          () => true,
          () => false,
        ),
      )) ?? false,
    close: async () => {
      const closing = Promise.all([...workers, ...Object.values(queues)].map((each) => each.close()));
      await within(closeGraceMs, closing);
      await within(closeGraceMs, backend.close());
    },
  };
}

type Message = { name: string; data: { id: string }; opts: { deduplication: { id: string }; delay: number } };
type Send = (message: Message) => Promise<unknown>;

/** While one message is on its way the next is sent. */
const senderLanes = 2;

/** Those who wake at the same time share a round trip. Each message takes a lock by its key in PostgreSQL: in one order, whoever sends. */
function createSender(queue: Pick<Queue, 'addBulk'>): Send {
  return createBatcher(async (messages: Message[]) => {
    const keyOf = ({ opts }: Message) => opts.deduplication.id;
    await queue.addBulk(messages.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)));
    return messages;
  }, senderLanes);
}

function openQueues(backend: Backend, onError: (error: unknown) => void) {
  const options = {
    connection: backend.senders,
    prefix: 'weir',
    defaultJobOptions: jobOptions,
    streams: { events: { maxLen: 100 } },
  };
  const open = (step: Step) => new Queue(step, options, backend.factory).on('error', onError);
  return {
    dispatch: open('dispatch'),
    launch: open('launch'),
    'launch-here': open('launch-here'),
    settle: open('settle'),
    deliver: open('deliver'),
    calibrate: open('calibrate'),
    rollup: open('rollup'),
    prices: open('prices'),
    quotas: open('quotas'),
  } satisfies Record<Step, unknown>;
}

/** What the work comes to, or undefined after so long. */
async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T | undefined> {
  const timer = new AbortController();
  const timeout = sleep(timeoutMs, undefined, { signal: timer.signal });
  return Promise.race([work, timeout]).finally(() => timer.abort());
}
