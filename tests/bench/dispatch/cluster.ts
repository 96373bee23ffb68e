import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCluster } from '../../../src/db/cluster.ts';

/** A PostgreSQL of its own, as the service starts one: durable. */
export async function withCluster<T>(work: (url: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-bench-'));
  const cluster = await startCluster(join(directory, 'postgres'));
  try {
    return await work(cluster.url);
  } finally {
    await cluster.stop();
    await rm(directory, { recursive: true, force: true });
  }
}
