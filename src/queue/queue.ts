import { createPostgresBackend, Queue, Worker, type ConnectionOptions, type Processor } from 'bullmq';

/**
 * Wake-ups. A message names a step and a row; the row is the truth, so a message may be lost, doubled or late. The sweep
 * of each worker sends what is missing again.
 */
export const steps = ['dispatch', 'launch', 'settle'] as const;
export type Step = (typeof steps)[number];

export type WakeUp = { step: Step; id: string; version: number; delayMs?: number };

export type Queues = {
  /** Asking twice for the same row and version is asking once. */
  wake: (wakeUp: WakeUp) => Promise<void>;
  work: (step: Step, concurrency: number, handle: (id: string) => Promise<void>) => void;
  isReady: () => Promise<boolean>;
  close: () => Promise<void>;
};

export type QueueOptions = { databaseUrl: string; redisUrl: string | undefined; onError: (error: unknown) => void };

const jobOptions = {
  // A kept id would swallow the next wake-up of the same name.
  removeOnComplete: true,
  removeOnFail: true,
  attempts: 4,
  backoff: { type: 'exponential', delay: 250 },
} as const;

export function createQueues({ databaseUrl, redisUrl, onError }: QueueOptions): Queues {
  // The one line that chooses: Redis for many workers on many hosts, else PostgreSQL.
  const backend = redisUrl === undefined ? createPostgresBackend : undefined;
  const connection = (redisUrl === undefined
    ? { connectionString: databaseUrl, schema: 'bullmq', migrate: true, max: 5 }
    : { url: redisUrl, maxRetriesPerRequest: null }) as ConnectionOptions;
  const options = { connection, prefix: 'weir' };

  const queues = new Map(steps.map((step) => [step, new Queue(step, { ...options, defaultJobOptions: jobOptions }, backend as never)]));
  for (const queue of queues.values()) queue.on('error', onError);
  const workers: Worker[] = [];

  return {
    wake: async ({ step, id, version, delayMs = 0 }) => {
      const jobId = `${step}-${id}-${version}`;
      await queues.get(step)?.add(step, { id }, { jobId, delay: delayMs });
    },
    work: (step, concurrency, handle) => {
      const process: Processor<{ id: string }> = (job) => handle(job.data.id);
      const worker = new Worker(step, process, { ...options, concurrency }, backend as never);
      worker.on('error', onError);
      worker.on('failed', (_job, error) => onError(error));
      workers.push(worker);
    },
    isReady: async () => {
      await queues.get('dispatch')?.waitUntilReady();
      return true;
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.close()));
      await Promise.all([...queues.values()].map((queue) => queue.close()));
    },
  };
}
