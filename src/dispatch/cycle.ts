import type { MicroUsd } from '../core/money.ts';
import type { Clock } from '../core/time.ts';
import type { Database, Sql } from '../db/database.ts';
import type { Capacity } from '../providers/provider.ts';
import { decide, type Start, type Wait } from './decide.ts';
import { forecast } from './explain.ts';
import { readSnapshot, type SnapshotDeps } from './read-snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import { insertStart, lockCycle, writeWaiting } from './store.ts';

export type CycleDeps = SnapshotDeps & {
  db: Database;
  now: Clock;
  /** Of each provider by name; undefined where it does not run out. */
  capacities: () => Promise<Map<string, Capacity | undefined>>;
  /** Makes a machine that can't keep jobs apart this tenant's. False where it is another's. */
  occupy: (tx: Sql, provider: string, tenantId: string) => Promise<boolean>;
  reserve: (
    tx: Sql,
    reservation: { tenantId: string; jobId: string; attempt: number; amount: MicroUsd; note: string; at: Date },
  ) => Promise<unknown>;
  wakeLaunch: (instanceId: string) => Promise<void>;
  bootMs: number;
};

export type Cycle = () => Promise<'done' | 'busy'>;

/** One round of dispatch: snapshot, decide, apply, in one transaction; then the machines are asked for. */
export function createCycle(deps: CycleDeps): Cycle {
  return async () => {
    const capacities = await deps.capacities();
    const instanceIds = await deps.db.transaction(async (tx) => {
      if (!(await lockCycle(tx))) return undefined;
      const at = deps.now();
      const snapshot = await readSnapshot(tx, at, capacities, deps);
      if (snapshot.queued.length === 0) return [];
      const { starts, waits } = decide(snapshot);
      const started = await applyStarts(tx, starts, at, deps);
      await explain(tx, snapshot, waits);
      return started;
    });
    if (instanceIds === undefined) return 'busy';
    await Promise.all(instanceIds.map((id) => deps.wakeLaunch(id)));
    return 'done';
  };
}

async function applyStarts(
  tx: Sql,
  starts: Start[],
  at: Date,
  { bootMs, occupy, reserve }: CycleDeps,
): Promise<string[]> {
  const instanceIds: string[] = [];
  for (const start of starts) {
    const { jobId, tenantId, choice } = start;
    if (!(await occupy(tx, choice.provider, tenantId))) continue;
    const started = await insertStart(tx, start, at, new Date(at.getTime() + bootMs));
    if (started === undefined) continue;
    const { attempt } = started;
    const note = `Attempt ${attempt} starts.`;
    await reserve(tx, { tenantId, jobId, attempt, amount: choice.reservation, note, at });
    instanceIds.push(...started.instanceIds);
  }
  return instanceIds;
}

async function explain(tx: Sql, snapshot: Snapshot, waits: Wait[]): Promise<void> {
  if (waits.length === 0) return;
  const etas = forecast(snapshot);
  const iso = (ms: number | null | undefined) =>
    typeof ms !== 'number' ? null : new Date(Math.round(ms / 1000) * 1000).toISOString();
  await writeWaiting(
    tx,
    waits.map(({ jobId, position, blockers }) => {
      const eta = etas.get(jobId);
      return { id: jobId, position, eta: { p50: iso(eta?.p50), p90: iso(eta?.p90) }, blockers };
    }),
  );
}
