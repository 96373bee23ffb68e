import { hasKind, isWithin, roomOf, takenBy } from './room.ts';
import { insertSorted } from './simulate-sorted.ts';
import type { Choice, Pool, QueuedJob } from './snapshot.ts';

/** No more jobs of one tenant are looked at in one round than this. */
const maxEach = 50;
/** Of all tenants together: a round that looks deeper into queues costs more than it finds. */
const maxTogether = 200;

export type Queues<Job extends QueuedJob> = {
  /** True where it stands first in its tenant's queue. */
  add: (job: Job) => boolean;
  remove: (job: Job) => void;
  /** Of each tenant the first, and behind it what fits into what is free. */
  heads: (pools: ReadonlyMap<string, Pool>) => { jobs: Job[]; doesAnyFit: boolean };
};

/** Jobs that need the same of the same providers: where one does not fit, none does. */
type Shape<Job> = { key: string; choices: Choice[]; lines: Map<string, Job[]> };

/**
 * The queues of all tenants, kept by what their jobs need, so that a round costs what could start and not what waits. Where a
 * tenant's first job does not fit it is there all the same: it may hold a reservation, or preempt.
 */
export function createQueues<Job extends QueuedJob>(): Queues<Job> {
  const shapes = new Map<string, Shape<Job>>();
  const shapesOf = new Map<string, Set<Shape<Job>>>();

  const shapeOf = ({ choices }: Job): Shape<Job> => {
    const key = choices.map(({ provider, need }) => `${provider} ${needKey(need)}`).join('\n');
    const known = shapes.get(key);
    if (known !== undefined) return known;
    const shape: Shape<Job> = { key, choices, lines: new Map() };
    shapes.set(key, shape);
    return shape;
  };

  return {
    add: (job) => {
      const shape = shapeOf(job);
      const line = shape.lines.get(job.tenantId) ?? [];
      insertSorted(line, job, inOrder);
      shape.lines.set(job.tenantId, line);
      const own = shapesOf.get(job.tenantId) ?? new Set();
      shapesOf.set(job.tenantId, own.add(shape));
      return [...own].every((other) => {
        const head = other.lines.get(job.tenantId)?.[0];
        return head === undefined || inOrder(job, head) <= 0;
      });
    },
    remove: (job) => {
      const shape = shapeOf(job);
      const line = shape.lines.get(job.tenantId);
      if (line === undefined) return;
      line.splice(line.indexOf(job), 1);
      if (line.length > 0) return;
      shape.lines.delete(job.tenantId);
      if (shape.lines.size === 0) shapes.delete(shape.key);
      const own = shapesOf.get(job.tenantId);
      own?.delete(shape);
      if (own?.size === 0) shapesOf.delete(job.tenantId);
    },
    heads: (pools) => {
      const fitting = new Set([...shapes.values()].filter(({ choices }) => fitsAny(choices, pools)));
      const each = Math.min(maxEach, Math.ceil(maxTogether / Math.max(1, shapesOf.size)));
      const jobs = [...shapesOf].flatMap(([tenantId, own]) => headOf(tenantId, own, fitting, each));
      return { jobs, doesAnyFit: fitting.size > 0 };
    },
  };
}

/** The first job of a tenant, and those behind it that fit. */
function headOf<Job extends QueuedJob>(
  tenantId: string,
  own: Set<Shape<Job>>,
  fitting: Set<Shape<Job>>,
  each: number,
): Job[] {
  const lines: Job[][] = [];
  let first: Job | undefined;
  for (const shape of own) {
    const line = shape.lines.get(tenantId) ?? [];
    const [head] = line;
    if (head !== undefined && (first === undefined || inOrder(head, first) < 0)) first = head;
    if (fitting.has(shape)) lines.push(line);
  }
  const next = firstOf(lines, each);
  return first === undefined || next[0] === first ? next : [first, ...next];
}

/** The first so many of several lines. */
function firstOf<Job extends QueuedJob>(lines: Job[][], count: number): Job[] {
  if (lines.length < 2) return (lines[0] ?? []).slice(0, count);
  const taken = lines.map(() => 0);
  const first: Job[] = [];
  while (first.length < count) {
    let from = -1;
    let next: Job | undefined;
    for (const [index, line] of lines.entries()) {
      const head = line[taken[index] ?? 0];
      if (head === undefined || (next !== undefined && inOrder(next, head) <= 0)) continue;
      next = head;
      from = index;
    }
    if (next === undefined) break;
    first.push(next);
    taken[from] = (taken[from] ?? 0) + 1;
  }
  return first;
}

export function fitsAny(choices: readonly Choice[], pools: ReadonlyMap<string, Pool>): boolean {
  return choices.some((choice) => fits(choice, pools.get(choice.provider)));
}

/** As decide has it, but for the quotas of accounts, which a replay does not know. */
function fits(choice: Choice, pool: Pool | undefined): boolean {
  return pool !== undefined && hasKind(pool.gpus.kind, choice.need) && isWithin(takenBy(choice), roomOf(pool));
}

function needKey({ cpus, memoryBytes, diskBytes, gpus, nodes }: Choice['need']): string {
  return `${cpus} ${memoryBytes} ${diskBytes} ${gpus.count} ${gpus.kind} ${nodes}`;
}

/** As decide has it: 3 priority inside the tenant, 4 first come. */
function inOrder(a: QueuedJob, b: QueuedJob): number {
  return b.priority - a.priority || a.queuedAt - b.queuedAt || (a.id < b.id ? -1 : Number(a.id > b.id));
}
