import type { MicroUsd } from '../core/money.ts';
import { hourMs } from '../core/time.ts';
import type { Choice } from './snapshot.ts';

/** What runs, with what of it is in the accounts. */
export type Active = {
  tenantId: string;
  choice: Choice;
  startedAt: number;
  microUsdPerHour: number;
  accountedTo: number;
  reservedLeft: MicroUsd;
};

/** `left`: of what was expected, how much this accounts for. */
export type Entry = { petaflopSeconds: number; microUsd: number; ofReservation: number; left: number };

export function takeEntry(running: Active, to: number): Entry {
  const before = useLeft(running);
  const hours = (to - running.accountedTo) / hourMs;
  const microUsd = running.microUsdPerHour * hours;
  const ofReservation = Math.min(running.reservedLeft, microUsd);
  running.reservedLeft -= ofReservation;
  running.accountedTo = to;
  return {
    petaflopSeconds: running.choice.petaflops * hours * 3600,
    microUsd,
    ofReservation,
    left: before - useLeft(running),
  };
}

export function useLeft({ choice, startedAt, accountedTo }: Active): number {
  return (choice.petaflops * Math.max(0, choice.durationMs.p50 - (accountedTo - startedAt))) / 1000;
}
