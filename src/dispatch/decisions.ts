import type { Obstacle } from './obstacles.ts';
import type { Reservation } from './reservations.ts';
import type { Choice } from './snapshot.ts';

export type Start = {
  jobId: string;
  tenantId: string;
  choice: Choice;
  /** For each node, the indexes of its GPUs. */
  gpus: number[][];
};

export type Wait = {
  jobId: string;
  tenantId: string;
  /** In its tenant's queue, from 1. */
  position: number;
  blockers: Obstacle[];
  /** Set where it holds the time of its start. */
  reserved: Reservation | undefined;
};

/** A running job that makes way: it gets notice and its grace, and goes back to its place in the queue. */
export type Preemption = {
  jobId: string;
  tenantId: string;
  attempt: number;
  /** The job that gets its place. */
  forJobId: string;
  forTenantId: string;
  /** Of its run so far, what no checkpoint holds. */
  lostMs: number;
};

export type Decisions = { starts: Start[]; preemptions: Preemption[]; waits: Wait[] };
