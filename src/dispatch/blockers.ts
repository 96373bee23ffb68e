import { formatUsd, toUsd } from '../core/money.ts';
import type { Blocker, Choice, RunningJob, State, TenantUse } from './snapshot.ts';

export function capBlockers({ accelerators: { kind, count }, petaflops }: Choice, tenant: TenantUse): Blocker[] {
  const blockers: Blocker[] = [];
  const unblocks = 'One of this tenant’s jobs ends, or an operator raises the cap.';
  if (tenant.running + 1 > tenant.caps.runningJobs) {
    blockers.push({
      code: 'cap',
      message: `The tenant runs ${tenant.running} of ${tenant.caps.runningJobs} jobs.`,
      unblocks,
    });
  }
  const used = tenant.accelerators[kind] ?? 0;
  const cap = tenant.caps.accelerators[kind] ?? Infinity;
  if (used + count > cap)
    blockers.push({
      code: 'cap',
      message: `The tenant is at ${used} of ${cap} ${kind}; the job wants ${count}.`,
      unblocks,
    });
  if (tenant.petaflops + petaflops > tenant.caps.petaflops) {
    blockers.push({
      code: 'cap',
      message: `The tenant is at ${tenant.petaflops} of ${tenant.caps.petaflops} PFLOP/s; the job wants ${petaflops}.`,
      unblocks,
    });
  }
  return blockers;
}

export function budgetBlockers({ reservation }: Choice, { budgetLeft }: TenantUse): Blocker[] {
  const short = reservation - budgetLeft;
  if (short <= 0) return [];
  return [
    {
      code: 'budget',
      message: `Budget short by ${formatUsd(toUsd(short))}: the job reserves ${formatUsd(toUsd(reservation))}, ${formatUsd(toUsd(Math.max(0, budgetLeft)))} is left.`,
      unblocks: 'Reservations of running jobs are released, a new month begins, or an operator raises the budget.',
    },
  ];
}

/** A soft cap holds only while another tenant waits that has not been tried yet. */
export function shareBlockers(choice: Choice, tenant: TenantUse, othersWait: boolean): Blocker[] {
  const cap = tenant.shareCap;
  if (cap === undefined) return [];
  const own = (choice.petaflops * choice.durationMs.p50) / 1000;
  const share = (cap.ownPetaflopSeconds + own) / Math.max(cap.poolPetaflopSeconds + own, cap.floorPetaflopSeconds);
  if (share <= cap.share || (cap.mode === 'soft' && !othersWait)) return [];
  return [
    {
      code: 'share-cap',
      message: `Share cap ${percent(cap.share)}: the job would bring the tenant to ${percent(share)}.`,
      unblocks: 'Others use the pool, own use leaves the window, or an operator raises shareCap.',
    },
  ];
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

export function capacityBlocker(choice: Choice, { running }: State): Blocker {
  let next: RunningJob | undefined;
  for (const job of running)
    if (job.choice.provider === choice.provider && job.endsAt.p50 < (next?.endsAt.p50 ?? Infinity)) next = job;
  const unblocks =
    next === undefined
      ? 'The provider has capacity again.'
      : `${next.id} ends, about ${new Date(next.endsAt.p50).toISOString()}.`;
  const { need } = choice;
  const wanted =
    need.gpus.count > 0 ? `${need.gpus.count * need.nodes} ${need.gpus.kind}` : `${need.cpus * need.nodes} cores`;
  const message = `${choice.provider} does not have ${wanted} with the memory and disk free now.`;
  return { code: 'capacity', message, unblocks };
}

export function closedBlocker(): Blocker {
  const message =
    'None of the providers that the job was quoted for takes it now: they are not configured any more, or can’t keep jobs apart and serve another tenant.';
  return { code: 'capacity', message, unblocks: 'An operator configures one again, or submit the job anew.' };
}
