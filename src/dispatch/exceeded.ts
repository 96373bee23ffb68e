import { tolerance } from './room.ts';
import type { Choice } from './snapshot.ts';
import type { TenantState } from './state.ts';

/** What a tenant may have at once, of one thing. */
export type LimitName = 'running' | 'petaflops' | 'accelerators' | 'quota';

/** A limit of the tenant itself or of one above it that a start would pass. */
export type Exceeded = {
  code: 'cap' | 'quota';
  is: 'limit';
  limit: LimitName;
  tenantId: string;
  /** Of accelerator, where the limit is of one. */
  kind: string;
  used: number;
  /** With the guarantee and what may be borrowed beyond it, for a quota. */
  most: number;
  guaranteed: number;
  wanted: number;
};

const names = ['running', 'accelerators', 'petaflops', 'quota'] as const satisfies readonly LimitName[];

/** Every limit on the way up that the start would pass: quotas and caps hold at each level. */
export function exceeded(choice: Choice, { lineage }: TenantState): Exceeded[] {
  const found: Exceeded[] = [];
  const { kind } = choice.accelerators;
  for (const tenant of lineage)
    for (const limit of names) {
      const most = mostOf(tenant, limit, kind);
      if (most === Infinity) continue;
      const used = usedOf(tenant, limit, kind);
      const wanted = countOf(choice, limit);
      if (isAtMost(used + wanted, most)) continue;
      const guaranteed = guaranteeOf(tenant, kind);
      const code = limit === 'quota' ? 'quota' : 'cap';
      found.push({ code, is: 'limit', limit, tenantId: tenant.id, kind, used, most, guaranteed, wanted });
    }
  return found;
}

/** Sums of speeds and of parts of cores are not exact. */
function isAtMost(sum: number, most: number): boolean {
  return sum <= most * (1 + tolerance);
}

export function mostOf({ caps, quotas }: TenantState, limit: LimitName, kind: string): number {
  switch (limit) {
    case 'running':
      return caps.runningJobs;
    case 'petaflops':
      return caps.petaflops;
    case 'accelerators':
      return caps.accelerators[kind] ?? Infinity;
    case 'quota': {
      const quota = quotas[kind];
      return quota === undefined ? Infinity : quota.guaranteed + quota.borrowing;
    }
  }
}

export function usedOf({ running, petaflops, accelerators }: TenantState, limit: LimitName, kind: string): number {
  switch (limit) {
    case 'running':
      return running;
    case 'petaflops':
      return petaflops;
    case 'accelerators':
    case 'quota':
      return accelerators[kind] ?? 0;
  }
}

/** What a job takes of a limit. */
export function countOf({ accelerators, petaflops }: Choice, limit: LimitName): number {
  switch (limit) {
    case 'running':
      return 1;
    case 'petaflops':
      return petaflops;
    case 'accelerators':
    case 'quota':
      return accelerators.count;
  }
}

/** Whether a job counts to a limit at all: those of a kind are for jobs of that kind. */
export function isCounted({ accelerators }: Choice, limit: LimitName, kind: string): boolean {
  return limit === 'running' || limit === 'petaflops' || accelerators.kind === kind;
}

/** Whether the tenant would still be within what it is guaranteed of the kind. */
export function isGuaranteed(tenant: TenantState, { accelerators: { kind, count } }: Choice): boolean {
  return isAtMost((tenant.accelerators[kind] ?? 0) + count, guaranteeOf(tenant, kind));
}

/**
 * The same seen from above the last of these, which stand above each other, the job's own tenant first: the highest of them that has a
 * guarantee of the kind says it. Where an organisation has none, what its teams are guaranteed is the pool's own promise to them.
 */
export function isGuaranteedWithin(lineage: readonly TenantState[], choice: Choice): boolean {
  const holder = lineage.findLast((tenant) => guaranteeOf(tenant, choice.accelerators.kind) > 0);
  return holder !== undefined && isGuaranteed(holder, choice);
}

export function guaranteeOf({ quotas }: TenantState, kind: string): number {
  return quotas[kind]?.guaranteed ?? 0;
}
