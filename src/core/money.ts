/**
 * Money is held as whole micro-dollars in a number: exact up to 9 billion dollars.
 * Dollars as decimals exist only on the wire.
 */
export type MicroUsd = number;

export const microUsdPerUsd = 1_000_000;

/** Dollars above which micro-dollars are no longer exact. */
export const mostUsd = Number.MAX_SAFE_INTEGER / microUsdPerUsd;

/** Micro-dollars to the wire's dollars, exact to 10⁻⁶. */
export function toUsd(amount: MicroUsd): number {
  return Math.round(amount) / microUsdPerUsd;
}

/** The wire's dollars to micro-dollars, rounded to the nearest. */
export function fromUsd(usd: number): MicroUsd {
  return Math.round(usd * microUsdPerUsd);
}

/** What a price per hour comes to over a time, rounded up so that no use is free. */
export function priceFor(hourly: MicroUsd, milliseconds: number): MicroUsd {
  return Math.ceil((hourly * Math.max(0, milliseconds)) / 3_600_000);
}

const dollars = { style: 'currency', currency: 'USD', useGrouping: false } as const;
const inCents = new Intl.NumberFormat('en-US', dollars);
const inMicroDollars = new Intl.NumberFormat('en-US', { ...dollars, maximumFractionDigits: 6 });

/** `$12.40`; below a dollar as many decimals as there are, down to the micro-dollar: `$0.20`, `$0.000031`. */
export function formatUsd(usd: number): string {
  return (Math.abs(usd) >= 1 ? inCents : inMicroDollars).format(usd);
}
