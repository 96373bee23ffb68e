import type { MicroUsd } from '../core/money.ts';
import type { AccountQuota } from '../providers/provider.ts';

export type Snapshot = {
  /** Milliseconds since 1970. */
  now: number;
  pools: Pool[];
  /** Whoever has a job that waits or runs, and all that stand above one. */
  tenants: TenantUse[];
  /** Of each tenant the head of its queue: highest priority first, then first come. */
  queued: QueuedJob[];
  running: RunningJob[];
  rules: PoolRules;
};

/** What the pool's policy says, with its defaults. */
export type PoolRules = {
  /** No job is preempted before it has run so long. */
  minRuntimeMs: number;
  /** Whether a tenant's job may preempt the same tenant's jobs of lower priority. */
  preemptsLowerPriority: boolean;
  concentration: Concentration | undefined;
};

/** The ceilings on concentration, with what every tenant has used in the window and committed, measured as share caps are. */
export type Concentration = {
  hhiCeiling: number;
  largestShareCeiling: number;
  /** Σ over tenants of own². */
  squaredPetaflopSeconds: number;
  largestPetaflopSeconds: number;
  /** Whose the largest is, whether or not it has a job; left out where nobody is told of breaches. */
  largestTenant?: string;
  poolPetaflopSeconds: number;
  floorPetaflopSeconds: number;
};

/** What a provider has left. Infinite where it never runs out in a way we could count. */
export type Pool = {
  provider: string;
  cpus: number;
  memoryBytes: number;
  diskBytes: number;
  gpus: { kind: string; free: number[] };
  /** Of the operator's account with it, where they are known. */
  quotas?: PoolQuota[];
  /** Kinds of which the quotas say all that the account may have; of others a part is not known. */
  wholeKinds?: string[];
};

/** A limit of the operator's account with a provider; it holds for the jobs whose choices name it in `takes`. */
export type PoolQuota = Pick<AccountQuota, 'metric' | 'region' | 'kind' | 'unit' | 'limit' | 'raiseAt'> & {
  id: string;
  /** What weir could have, were nothing of its own up. */
  most: number;
  /** Of that what its machines do not use; below 0 where the limit was lowered. */
  free: number;
};

/** A tenant, or an organisation above some: what it may use counts what all below it use. */
export type TenantUse = {
  id: string;
  /** The tenant above it. */
  parent: string | undefined;
  weight: number;
  /** Petaflop-seconds, decayed by half-life, with what runs now counted. */
  decayedUse: number;
  /** Of that this tenant's alone, without those below it. */
  ownDecayedUse: number;
  running: number;
  accelerators: Record<string, number>;
  petaflops: number;
  caps: { runningJobs: number; accelerators: Record<string, number>; petaflops: number };
  /** By kind of accelerator; a kind without one has no guarantee and no limit. */
  quotas: Record<string, Quota>;
  /** What is left to reserve; the smaller of month and total. */
  budgetLeft: MicroUsd;
  /** Whether it is the smaller; left out where nobody is told. */
  isMonthTighter?: boolean;
  shareCap: ShareCap | undefined;
  /** Petaflop-seconds of this tenant alone, without those below it, in the window of the ceilings on concentration. */
  windowUse: number;
};

/** Of one kind of accelerator. */
export type Quota = {
  guaranteed: number;
  /** How far above the guarantee; infinite: as far as there is. */
  borrowing: number;
  /** How much of the guarantee others may use while it is idle; never more than it. */
  lending: number;
};

/** As the contract defines it: (own use in the window + own committed) ÷ max(pool's use + committed, a tenth of what it could give). */
export type ShareCap = {
  share: number;
  mode: 'soft' | 'hard';
  ownPetaflopSeconds: number;
  poolPetaflopSeconds: number;
  floorPetaflopSeconds: number;
  /** Own use and when it will have left the window, the oldest first; left out where nobody asks. */
  leaving?: { at: number; petaflopSeconds: number }[];
};

export type Need = {
  cpus: number;
  memoryBytes: number;
  diskBytes: number;
  gpus: { kind: string; count: number };
  nodes: number;
};

export type Choice = {
  optionId: string;
  provider: string;
  need: Need;
  /** Counted against caps: the kind is cpu where there is no accelerator. */
  accelerators: { kind: string; count: number };
  petaflops: number;
  reservation: MicroUsd;
  durationMs: { p50: number; p90: number };
  /** Of the quotas of its provider, by their ids, what all nodes together take; left out: nothing of any that is known. */
  takes?: Readonly<Record<string, number>>;
  /** Set where its provider had none of these machines lately, or did not give them: nobody asks before, and then one job at a time. */
  shortage?: { id: string; cause: 'stockout' | 'quota' | 'refused'; message: string; until: number };
};

export type QueuedJob = {
  id: string;
  tenantId: string;
  priority: number;
  queuedAt: number;
  notBefore: number;
  choices: Choice[];
  /** Others make way for it, or have: what they free is its own before it is anybody's. */
  hasClaim?: boolean;
  /** The round before reserved what it waits for. */
  hasReservation?: boolean;
};

export type RunningJob = {
  id: string;
  tenantId: string;
  /** Its number; 0 where it was started since the snapshot. */
  attempt: number;
  priority: number;
  /** Its place in the queue, where it makes way. */
  queuedAt: number;
  choice: Choice;
  /** Since when its attempt runs; undefined while its machines come up. */
  startedAt: number | undefined;
  /** When its last checkpoint was stored whole, in any attempt. */
  checkpointedAt: number | undefined;
  /** It has been told to end: it holds its machines no longer than that takes. */
  isStopping: boolean;
  endsAt: { p50: number; p90: number };
};
