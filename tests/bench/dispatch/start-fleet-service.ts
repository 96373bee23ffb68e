import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Installation } from '../../support/service.ts';

/** Starts the service of an installation with an emulated fleet of so many cores: see fleet-service.ts. */
export async function startFleetService({ env }: Installation, cpus: number) {
  const child = fork(join(import.meta.dirname, 'fleet-service.ts'), [String(cpus)], {
    env,
    execArgv: ['--max-semi-space-size=32'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const gone = once(child, 'exit');
  const failed = gone.then(() => {
    throw new Error('The service ended before it was ready.');
  });
  failed.catch(() => undefined);
  await Promise.race([once(child, 'message'), failed]);
  return {
    child,
    end: async () => {
      child.kill('SIGTERM');
      await gone;
    },
  };
}
