import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import { move } from '../jobs/move-store.ts';
import type { Directive, Heartbeat } from '../protocol/runner.ts';
import { advance, toTrack } from '../quotes/progress.ts';
import { holdAttempt, staleAttempt, type Runner } from './fence.ts';
import { markRunning, readRendezvous, recordHeartbeat, recordProgress, type Beaten } from './store.ts';

export type HeartbeatDeps = { db: Database; now: Clock; leaseMs: number };

/** Extends the lease, takes what the runner saw, and answers what to do. The first one makes the job `running`. */
export function createHeartbeat({ db, now, leaseMs }: HeartbeatDeps) {
  return async ({ instance, attempt, job }: Runner, { stage, sample, progress }: Heartbeat): Promise<Directive> => {
    const at = now();
    const leaseExpiresAt = new Date(at.getTime() + leaseMs);
    const seen = { instanceId: instance.id, attemptId: attempt.id, attempt: attempt.number, jobId: job.id };
    const beaten = await recordHeartbeat(db, { ...seen, at, leaseExpiresAt, sample });
    if (beaten === undefined) throw staleAttempt(attempt.number);
    if (progress !== undefined) await hear(db, { ...seen, node: instance.node }, { beaten, progress, at });
    const { state, reason } = beaten;
    if (state === 'stopping') return { directive: 'stop', reason, rendezvous: null };
    // A node that has not started its command yet may still be waiting for the gang's addresses.
    const isWaiting = stage === 'preparing' || stage === 'setup' || state === 'provisioning';
    const rendezvous = isWaiting ? await readRendezvous(db.client, attempt.id) : null;
    if (state === 'provisioning' && rendezvous !== null) await start(db, job.id, attempt, at);
    return { directive: 'continue', reason: null, rendezvous };
  };
}

type Heard = { beaten: Beaten; progress: NonNullable<Heartbeat['progress']>; at: Date };

/** Adds what the job says of its progress to what it said before: of that its speed is read. */
async function hear(
  db: Database,
  { jobId, attempt, node }: { jobId: string; attempt: number; node: number },
  { beaten, progress: { ageMs = 0, ...said }, at }: Heard,
): Promise<void> {
  const known = toTrack(beaten.progress);
  // Of a gang the first node speaks for all; another one that is behind it says nothing new.
  if (node > 0 && known?.attempt === attempt && said.done < known.done) return;
  const track = advance(known, said, { atMs: at.getTime() - ageMs, attempt });
  if (track !== known) await recordProgress(db, { jobId, attempt }, track);
}

async function start(db: Database, jobId: string, attempt: Runner['attempt'], at: Date): Promise<void> {
  await db.transaction(async (tx) => {
    await holdAttempt(tx, jobId, attempt.number);
    const change = { jobId, from: 'provisioning', to: 'running', at, attempt: attempt.number, reason: null } as const;
    const isMoved = await move(tx, { ...change, message: 'The runner is there.', set: { startedAt: at } });
    if (!isMoved) return;
    await markRunning(tx, attempt.id, at);
  });
}
