import { isGuaranteed, isGuaranteedWithin } from './exceeded.ts';
import type { QueuedJob } from './snapshot.ts';
import type { State, TenantState } from './state.ts';

/** Of each tenant its jobs that wait, in order. */
export type Queues = Map<string, QueuedJob[]>;

/** 3 priority inside the tenant; 4 first come. */
export function byTenant(queued: readonly QueuedJob[]): Queues {
  const order = queued.toSorted((a, b) => b.priority - a.priority || a.queuedAt - b.queuedAt || (a.id < b.id ? -1 : 1));
  return Map.groupBy(order, (job) => job.tenantId);
}

export type Turn = { tenant: TenantState; job: QueuedJob };

/**
 * Whose turn it is. At each level, from the organisations down, those come first 1 whose next job is within their guarantee, or where
 * they have none of its kind within that of the team below them, then
 * 2 those with the lowest decayed use per weight, then by id, so that equal snapshots decide equally. A tenant with jobs of its own
 * and teams below it takes turns with them.
 */
export type Order = {
  /** The job to be looked at now. */
  next: () => Turn | undefined;
  /** Goes on from it: the use of its tenant and those above it may have changed. */
  advance: () => void;
};

/** A place in the tree: a tenant's own queue, or a tenant with what waits below it. */
type Branch = {
  /** Undefined for the root alone. */
  tenant: TenantState | undefined;
  isOwnQueue: boolean;
  above: Branch | undefined;
  /** Of an own queue, where it is in it. */
  queue: readonly QueuedJob[];
  index: number;
  /** Of others, those below it, as a heap: the first is the one whose turn it is. */
  heap: Branch[];
  key: Key;
};

type Key = { isGuaranteed: boolean; use: number; id: string };

export function createOrder(queues: Queues, state: State): Order {
  const root = plant(queues, state);
  return {
    next: () => {
      const branch = firstOf(root);
      const job = branch?.queue[branch.index];
      return branch?.tenant === undefined || job === undefined ? undefined : { tenant: branch.tenant, job };
    },
    advance: () => {
      const branch = firstOf(root);
      if (branch === undefined) return;
      branch.index += 1;
      reorder(branch);
    },
  };
}

function plant(queues: Queues, { tenants }: State): Branch {
  const root = branchOf(undefined, undefined);
  const branches = new Map<string, Branch>();
  const grow = (tenant: TenantState): Branch => {
    const known = branches.get(tenant.id);
    if (known !== undefined) return known;
    const [, above] = tenant.lineage;
    const parent = above === undefined ? root : grow(above);
    const branch = branchOf(tenant, parent);
    branches.set(tenant.id, branch);
    return branch;
  };
  for (const [id, queue] of queues) {
    const tenant = tenants.get(id);
    if (tenant === undefined || queue.length === 0) continue;
    const above = grow(tenant);
    Object.assign(branchOf(tenant, above), { isOwnQueue: true, queue });
  }
  settle(root);
  return root;
}

function branchOf(tenant: TenantState | undefined, above: Branch | undefined): Branch {
  const key = { isGuaranteed: false, use: 0, id: '' };
  const branch: Branch = { tenant, isOwnQueue: false, above, queue: [], index: 0, heap: [], key };
  above?.heap.push(branch);
  return branch;
}

function settle(branch: Branch): void {
  for (const below of branch.heap) settle(below);
  for (let index = Math.floor(branch.heap.length / 2) - 1; index >= 0; index -= 1) siftDown(branch.heap, index);
  if (branch.above !== undefined) branch.key = keyOf(branch);
}

function firstOf(root: Branch): Branch | undefined {
  let branch: Branch | undefined = root;
  while (branch !== undefined && !branch.isOwnQueue) branch = branch.heap[0];
  return branch;
}

/** From what was looked at up to the root, each is the first of its heap: it sinks to where it now belongs, or leaves. */
function reorder(looked: Branch): void {
  for (let branch = looked, above = looked.above; above !== undefined; branch = above, above = above.above) {
    const isDone = branch.isOwnQueue ? branch.index >= branch.queue.length : branch.heap.length === 0;
    if (isDone) removeFirst(above.heap);
    else {
      branch.key = keyOf(branch);
      siftDown(above.heap, 0);
    }
  }
}

function keyOf(branch: Branch): Key {
  const { tenant, isOwnQueue } = branch;
  if (tenant === undefined) return branch.key;
  // Among its own teams an organisation's own jobs weigh as one of weight 1, which is guaranteed nothing.
  if (isOwnQueue) return { isGuaranteed: false, use: tenant.ownDecayedUse, id: '' };
  return { isGuaranteed: isNextGuaranteed(branch, tenant), use: tenant.decayedUse / tenant.weight, id: tenant.id };
}

function isNextGuaranteed(branch: Branch, tenant: TenantState): boolean {
  const next = firstOf(branch);
  const job = next?.queue[next.index];
  if (next?.tenant === undefined || job === undefined) return false;
  if (next.tenant === tenant) return job.choices.some((choice) => isGuaranteed(tenant, choice));
  const { lineage } = next.tenant;
  const below = lineage.slice(0, lineage.indexOf(tenant) + 1);
  return job.choices.some((choice) => isGuaranteedWithin(below, choice));
}

function isBefore(a: Key, b: Key): boolean {
  if (a.isGuaranteed !== b.isGuaranteed) return a.isGuaranteed;
  return a.use === b.use ? a.id < b.id : a.use < b.use;
}

function siftDown(heap: Branch[], from: number): void {
  let index = from;
  for (;;) {
    let first = index;
    for (const below of [2 * index + 1, 2 * index + 2]) {
      const [a, b] = [heap[below], heap[first]];
      if (a !== undefined && b !== undefined && isBefore(a.key, b.key)) first = below;
    }
    const [moved, risen] = [heap[index], heap[first]];
    if (first === index || moved === undefined || risen === undefined) return;
    heap[index] = risen;
    heap[first] = moved;
    index = first;
  }
}

function removeFirst(heap: Branch[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  heap[0] = last;
  siftDown(heap, 0);
}
