import type { MicroUsd } from '../core/money.ts';

export type Snapshot = {
  /** Milliseconds since 1970. */
  now: number;
  pools: Pool[];
  tenants: TenantUse[];
  /** Of each tenant the head of its queue: highest priority first, then first come. */
  queued: QueuedJob[];
  running: RunningJob[];
};

/** What a provider has left. Infinite where it never runs out in a way we could count. */
export type Pool = {
  provider: string;
  cpus: number;
  memoryBytes: number;
  diskBytes: number;
  gpus: { kind: string; free: number[] };
};

export type TenantUse = {
  id: string;
  weight: number;
  /** Petaflop-seconds, decayed by half-life, with what runs now counted. */
  decayedUse: number;
  running: number;
  accelerators: Record<string, number>;
  petaflops: number;
  caps: { runningJobs: number; accelerators: Record<string, number>; petaflops: number };
  /** What is left to reserve; the smaller of month and total. */
  budgetLeft: MicroUsd;
  shareCap: ShareCap | undefined;
};

/** As the contract defines it: (own use in the window + own committed) ÷ max(pool's use + committed, a tenth of what it could give). */
export type ShareCap = {
  share: number;
  mode: 'soft' | 'hard';
  ownPetaflopSeconds: number;
  poolPetaflopSeconds: number;
  floorPetaflopSeconds: number;
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
};

export type QueuedJob = {
  id: string;
  tenantId: string;
  priority: number;
  queuedAt: number;
  notBefore: number;
  choices: Choice[];
};

export type RunningJob = { id: string; tenantId: string; choice: Choice; endsAt: { p50: number; p90: number } };

export type Blocker = {
  code: 'capacity' | 'cap' | 'share-cap' | 'budget' | 'backoff' | 'reservation';
  message: string;
  unblocks: string;
};

/** What a round of decisions changes as it goes. */
export type State = { pools: Map<string, Pool>; tenants: Map<string, TenantUse>; running: RunningJob[]; now: number };

export function copyPool(pool: Pool): Pool {
  return { ...pool, gpus: { ...pool.gpus, free: [...pool.gpus.free] } };
}

export function copyState({ now, pools, tenants, running }: Snapshot): State {
  return {
    now,
    pools: new Map(pools.map((pool) => [pool.provider, copyPool(pool)])),
    tenants: new Map(
      tenants.map((tenant) => [
        tenant.id,
        {
          ...tenant,
          accelerators: { ...tenant.accelerators },
          shareCap: tenant.shareCap === undefined ? undefined : { ...tenant.shareCap },
        },
      ]),
    ),
    running: [...running],
  };
}
