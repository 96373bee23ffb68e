import { createQueues } from '../../src/queue/queue.ts';

/** A worker to be killed: takes one step, says so, and never comes to its end. */
const [databaseUrl = '', redisUrl] = process.argv.slice(2);
const queues = await createQueues({ databaseUrl, redisUrl, onError: () => undefined });
queues.work('launch', 1, async () => {
  process.stdout.write('started\n');
  await new Promise(() => undefined);
});
