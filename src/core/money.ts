/**
 * Money is held as whole micro-dollars in a number: exact up to 9 billion dollars.
 * Dollars as decimals exist only on the wire.
 */
export type MicroUsd = number;

export const microUsdPerUsd = 1_000_000;

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

/** `$12.40`, with as many decimals as a small amount needs to be seen. */
export function formatUsd(usd: number): string {
  const decimals = Math.abs(usd) >= 1 || usd === 0 ? 2 : 6;
  return `$${usd.toFixed(decimals)}`;
}
