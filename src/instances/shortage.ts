import { hourMs } from '../core/time.ts';
import type { Offer } from '../protocol/quote.ts';
import type { Shortage } from '../providers/provider.ts';

/** What is remembered of a shortage. */
export type Remembered = {
  id: string;
  provider: string;
  of: Shortage['of'];
  cause: Shortage['cause'];
  message: string;
  zonesAvailable: string[];
  /** How often it was so in a row, decayed. */
  weight: number;
  at: Date;
  heldUntil: Date;
  /** Since when one job tries whether it is over. */
  probedAt: Date | null;
};

/** What was so an hour ago weighs half; after a day it is forgotten. */
const halfLifeMs = hourMs;
export const forgottenMs = 24 * hourMs;

/** Before the first new try, twice as long before each next, up to the second. */
const holds = {
  stockout: { firstMs: 60_000, mostMs: 15 * 60_000 },
  quota: { firstMs: 120_000, mostMs: 30 * 60_000 },
  refused: { firstMs: 60_000, mostMs: 15 * 60_000 },
} as const satisfies Record<Shortage['cause'], object>;

/** How long a quota that others hold is waited for, where nobody knows when they give it back: as after a refusal for it. */
export const quotaHoldSeconds = { p50: holds.quota.firstMs / 1000, p90: holds.quota.mostMs / 1000 };

/** One job at a time tries whether a shortage is over, and has so long for it. */
export const probeMs = 60_000;

type Ware = Pick<Offer, 'provider' | 'region' | 'zone' | 'machineType' | 'accelerators' | 'market'>;

export function holdsFor({ provider, of }: Pick<Remembered, 'provider' | 'of'>, ware: Ware): boolean {
  const facts: Record<keyof Shortage['of'], string | null> = {
    region: ware.region,
    zone: ware.zone ?? ware.region,
    machineType: ware.machineType,
    kind: ware.accelerators.kind,
    market: ware.market,
  };
  return (
    provider === ware.provider &&
    Object.entries(of).every(([name, value]) => facts[name as keyof typeof facts] === value)
  );
}

/** Of those that hold for a ware the one that holds longest. */
export function longestFor(remembered: readonly Remembered[], ware: Ware): Remembered | undefined {
  return remembered
    .filter((each) => holdsFor(each, ware))
    .reduce<Remembered | undefined>(
      (longest, each) => (longest === undefined || each.heldUntil > longest.heldUntil ? each : longest),
      undefined,
    );
}

function decayed({ weight, at }: Pick<Remembered, 'weight' | 'at'>, now: Date): number {
  return weight * 0.5 ** (Math.max(0, now.getTime() - at.getTime()) / halfLifeMs);
}

function holdMs(cause: Shortage['cause'], weight: number): number {
  const { firstMs, mostMs } = holds[cause];
  return Math.min(mostMs, firstMs * 2 ** Math.max(0, Math.round(weight) - 1));
}

/** The memory after one more answer. What several jobs were told that had asked at the same time is told once. */
export function remember(
  provider: string,
  { cause, of, message, zonesAvailable }: Shortage,
  before: Remembered | undefined,
  now: Date,
): Remembered {
  const isNews =
    before === undefined || before.heldUntil <= now || (before.probedAt !== null && before.probedAt >= before.at);
  const weight = (before === undefined ? 0 : decayed(before, now)) + (isNews ? 1 : 0);
  const until = new Date(now.getTime() + holdMs(cause, weight));
  const heldUntil = before !== undefined && !isNews && before.heldUntil > until ? before.heldUntil : until;
  const id = [
    provider,
    ...Object.entries(of)
      .map((fact) => fact.join(' '))
      .toSorted(),
  ].join(' ');
  return { id, provider, of, cause, message, zonesAvailable, weight, at: now, heldUntil, probedAt: null };
}

/** Seconds that a job would wait for a machine of which there was none: until it is asked again, and in the worse case once more. */
export function waitOf(remembered: Remembered | undefined, now: Date): { p50: number; p90: number } {
  if (remembered === undefined) return { p50: 0, p90: 0 };
  const p50 = Math.max(0, remembered.heldUntil.getTime() - now.getTime()) / 1000;
  const weight = decayed(remembered, now);
  return { p50, p90: p50 + (Math.min(1, weight) * holdMs(remembered.cause, weight + 1)) / 1000 };
}
