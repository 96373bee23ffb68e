import { copyPool, type Blocker, type Choice, type Pool, type QueuedJob, type State } from './snapshot.ts';

/** The GPUs each node gets, or undefined where the gang does not fit. All nodes or none. */
export function place({ need }: Choice, pool: Pool | undefined): number[][] | undefined {
  if (pool === undefined) return undefined;
  const { cpus, memoryBytes, diskBytes, gpus, nodes } = need;
  const fits =
    cpus * nodes <= pool.cpus && memoryBytes * nodes <= pool.memoryBytes && diskBytes * nodes <= pool.diskBytes;
  if (!fits) return undefined;
  if (gpus.count === 0) return Array.from({ length: nodes }, () => []);
  if (pool.gpus.kind !== gpus.kind || gpus.count * nodes > pool.gpus.free.length) return undefined;
  return Array.from({ length: nodes }, (_, node) => pool.gpus.free.slice(node * gpus.count, (node + 1) * gpus.count));
}

export function take(pool: Pool, { need }: Choice, gpus: number[][]): void {
  pool.cpus -= need.cpus * need.nodes;
  pool.memoryBytes -= need.memoryBytes * need.nodes;
  pool.diskBytes -= need.diskBytes * need.nodes;
  const taken = new Set(gpus.flat());
  pool.gpus.free = pool.gpus.free.filter((index) => !taken.has(index));
}

export function giveBack(pool: Pool, { need }: Choice): void {
  pool.cpus += need.cpus * need.nodes;
  pool.memoryBytes += need.memoryBytes * need.nodes;
  pool.diskBytes += need.diskBytes * need.nodes;
  // Which GPU comes back does not matter to a forecast, only how many.
  pool.gpus.free = [...pool.gpus.free, ...Array.from({ length: need.gpus.count * need.nodes }, () => -1)];
}

/** The first job in order that lacks only capacity holds the time at which it will fit; others pass only if they end before. */
export type Reservation = { jobId: string; choice: Choice; startsAt: number };

export function reserveFor(job: QueuedJob, blockers: Blocker[], state: State): Reservation | undefined {
  const [choice] = job.choices;
  if (choice === undefined || blockers.length !== 1 || blockers[0]?.code !== 'capacity') return undefined;
  const pool = state.pools.get(choice.provider);
  if (pool === undefined) return undefined;
  const forecast = copyPool(pool);
  for (const { choice: ending, endsAt } of state.running.toSorted((a, b) => a.endsAt.p90 - b.endsAt.p90)) {
    if (ending.provider !== choice.provider) continue;
    giveBack(forecast, ending);
    if (place(choice, forecast) !== undefined) return { jobId: job.id, choice, startsAt: endsAt.p90 };
  }
  return undefined;
}

export function delays(choice: Choice, reservation: Reservation, { now }: State): boolean {
  return choice.provider === reservation.choice.provider && now + choice.durationMs.p90 > reservation.startsAt;
}

export function reservationBlocker({ jobId, startsAt }: Reservation): Blocker {
  const at = new Date(startsAt).toISOString();
  return {
    code: 'reservation',
    message: `${jobId} is before it and is expected to start by ${at}; this job may end later than that.`,
    unblocks: `${jobId} starts.`,
  };
}
