import { statfs } from 'node:fs/promises';
import { Gauge, type Registry } from 'prom-client';

export type MachineMetricDeps = {
  /** How many wake-ups wait in each queue. */
  backlog: () => Promise<Record<string, number>>;
  dataDir: string;
};

/** What runs full: the queues, and the disk that this process keeps its data on. What can't be read now keeps its last figure. */
export function observeMachine(registry: Registry, { backlog, dataDir }: MachineMetricDeps): () => Promise<void> {
  const registers = [registry];
  const waiting = new Gauge({
    name: 'weir_queue_backlog',
    help: 'Wake-ups that wait in a queue, by step; in Prometheus the max of the processes.',
    labelNames: ['step'],
    registers,
  });
  const free = new Gauge({
    name: 'weir_data_disk_free_bytes',
    help: 'Left on the disk of the data directory.',
    registers,
  });
  const size = new Gauge({
    name: 'weir_data_disk_size_bytes',
    help: 'The whole disk of the data directory.',
    registers,
  });

  const readBacklog = async () => {
    for (const [step, count] of Object.entries(await backlog())) waiting.set({ step }, count);
  };
  const readDisk = async () => {
    const { bavail, blocks, bsize } = await statfs(dataDir);
    free.set(bavail * bsize);
    size.set(blocks * bsize);
  };
  return async () => void (await Promise.allSettled([readBacklog(), readDisk()]));
}
