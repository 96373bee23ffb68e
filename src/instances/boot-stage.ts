import { WeirError } from '../core/errors.ts';
import { formatDuration, type Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import { recordEvent } from '../jobs/move-store.ts';
import type { Stop } from '../jobs/stop.ts';
import type { BootReport, bootStages } from '../protocol/runner.ts';
import { readBootstrapToken } from './bootstrap.ts';
import { staleAttempt } from './fence.ts';
import { findInstance } from './store.ts';

export type BootStageDeps = { db: Database; now: Clock; secretKey: Buffer; stop: Stop };

const doing = {
  booted: 'has booted',
  'waiting-for-gpus': 'waits for its GPUs',
  'installing-containers': 'installs what runs containers',
  'fetching-runner': 'fetches the runner',
  'checking-runner': 'checks the runner',
  'starting-runner': 'starts the runner',
} as const satisfies Record<Exclude<(typeof bootStages)[number], 'failed'>, string>;

/**
 * Writes into the job's history what a machine is doing before its runner is up. One that can't come up ends its attempt.
 * @throws WeirError `unauthorized` for a token not ours, `stale-attempt` where nobody waits for the machine any more.
 */
export function createBootStage({ db, now, secretKey, stop }: BootStageDeps) {
  return async ({ bootstrapToken, stage, message }: BootReport): Promise<void> => {
    const instanceId = readBootstrapToken(secretKey, bootstrapToken);
    const instance = instanceId === undefined ? undefined : await findInstance(db, instanceId);
    if (instance === undefined) throw new WeirError('unauthorized', 'This bootstrap token is not known.');
    const { attempt, name, zone, requestedAt, readyAt } = instance;
    if (attempt.state !== 'provisioning' || readyAt !== null) throw staleAttempt(attempt.number);
    const { jobId, number } = attempt;
    if (stage === 'failed') {
      const why = message === '' ? 'It could not start the runner.' : message;
      await stop({ jobId, attempt: number, reason: 'provisioning-failed', message: `${name} in ${zone}: ${why}` });
      return;
    }
    const at = now();
    const since = formatDuration(Math.max(0, at.getTime() - requestedAt.getTime()) / 1000);
    const event = { jobId, at, attempt: number, from: null, to: null, reason: null };
    const told = `${name} in ${zone} ${doing[stage]}, ${since} after it was asked for.`;
    await db.transaction((tx) => recordEvent(tx, { ...event, type: `instance.${stage}`, message: told }));
  };
}
