import { createServer, type AddressInfo } from 'node:net';
import { availableParallelism, hostname, totalmem } from 'node:os';
import type { Claim } from '../protocol/runner.ts';
import { listGpus } from './gpus.ts';

export function describeHost(): Claim['host'] {
  return { hostname: hostname(), cpus: availableParallelism(), memoryBytes: totalmem(), gpus: listGpus() };
}

/** A port that nobody listens on now, for the gang's rendezvous. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
