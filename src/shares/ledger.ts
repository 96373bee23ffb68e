import type { MicroUsd } from '../core/money.ts';
import type { statementKinds } from '../protocol/share.ts';

/**
 * A tenant's accounts, each starting at zero. `spent` is what it owes, `reserved` what its running jobs may still come to,
 * and `available` the counterpart, which goes below zero: a budget plus `available` is what is left of that budget.
 */
export const accounts = ['available', 'reserved', 'spent'] as const;
export type Account = (typeof accounts)[number];

export type Kind = (typeof statementKinds)[number];

/** One line to come: the lines of one transaction sum to zero. */
export type Leg = { account: Account; kind: Kind; amount: MicroUsd };

/** What a job holds of its tenant's accounts; what operators corrected is not in it. */
export type Held = { reserved: MicroUsd; spent: MicroUsd };

/** In micro-dollars, of all of a tenant's jobs together: more than a number holds exactly, where each of them is within it. */
export type Balances = Record<Account, bigint>;

/** A line with the balance of its account after it. */
export type Line = Leg & { balance: bigint };

export function reserveLegs(amount: MicroUsd): Leg[] {
  return transfer('reserve', 'available', 'reserved', amount);
}

/** From reserved to spent; what goes beyond the job's reservation is reserved first. */
export function chargeLegs({ reserved }: Held, amount: MicroUsd): Leg[] {
  const short = Math.max(0, amount - Math.max(0, reserved));
  return [...reserveLegs(short), ...transfer('charge', 'reserved', 'spent', amount)];
}

/** All that is left of the job's reservation. */
export function releaseLegs({ reserved }: Held): Leg[] {
  return transfer('release', 'reserved', 'available', reserved);
}

/** @throws RangeError where more would be given back than the job was charged. */
export function refundLegs({ spent }: Held, amount: MicroUsd): Leg[] {
  if (amount > spent) throw new RangeError(`a refund of ${amount} micro-dollars is more than the ${spent} charged`);
  return transfer('refund', 'spent', 'available', amount);
}

/** An operator's correction of what is owed: below zero it is a credit. */
export function adjustLegs(amount: MicroUsd): Leg[] {
  return amount < 0
    ? transfer('adjust', 'spent', 'available', -amount)
    : transfer('adjust', 'available', 'spent', amount);
}

/** A line that moves nothing: something worth knowing, at its place among the others. */
export function noticeLegs(): Leg[] {
  return [{ account: 'spent', kind: 'adjust', amount: 0 }];
}

function transfer(kind: Kind, from: Account, to: Account, amount: MicroUsd): Leg[] {
  if (!Number.isSafeInteger(amount) || amount < 0)
    throw new RangeError(`${amount} is no amount of whole micro-dollars`);
  if (amount === 0) return [];
  return [
    { account: from, kind, amount: -amount },
    { account: to, kind, amount },
  ];
}

/** The lines of a transaction, each with the running balance of its account. */
export function withBalances(before: Balances, legs: readonly Leg[]): Line[] {
  const balances = { ...before };
  return legs.map((leg) => {
    balances[leg.account] += BigInt(leg.amount);
    return { ...leg, balance: balances[leg.account] };
  });
}
