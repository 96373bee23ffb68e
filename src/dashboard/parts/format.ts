import { withPrefix } from '../../core/quantity.ts';

const minute = 60;
const hour = 60 * minute;
const dayLength = 24 * hour;

export function usd(value: number): string {
  const isSmall = value !== 0 && Math.abs(value) < 0.1;
  const digits = isSmall ? { maximumSignificantDigits: 2 } : { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return value.toLocaleString('en-US', { style: 'currency', currency: 'USD', ...digits });
}

export function usdRange({ p10, p90 }: { p10: number; p90: number }): string {
  return `${usd(p10)} to ${usd(p90)}`;
}

export const percent = (part: number, digits = 1): string => `${(part * 100).toFixed(digits)} %`;

export const count = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 2 });

/** One thing or many. */
export const plural = (value: number, one: string, many = `${one}s`): string => (value === 1 ? one : many);

/** A rate in PFLOP/s without its unit, FLOP/s, for axes. */
export const rateShort = (petaflops: number): string => withPrefix(petaflops * 1e15);

export const bytes = (sizeBytes: number): string => `${withPrefix(sizeBytes)}B`;

/** Machines that stay on one line: "8 × H100", "1 core". */
export function machines(amount: number, kind: string): string {
  const text = kind === 'cpu' ? `${count(amount)} ${plural(amount, 'core')}` : `${count(amount)} × ${kind}`;
  return text.replaceAll(' ', '\u00A0');
}

/** The two largest units. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < minute) return `${whole} s`;
  if (whole < hour) return pair(whole, [minute, 'min'], [1, 's']);
  if (whole < dayLength) return pair(whole, [hour, 'h'], [minute, 'min']);
  return pair(whole, [dayLength, 'd'], [hour, 'h']);
}

type Unit = [seconds: number, name: string];

function pair(whole: number, [large, largeName]: Unit, [small, smallName]: Unit): string {
  const rest = Math.floor((whole % large) / small);
  return `${Math.floor(whole / large)} ${largeName}${rest === 0 ? '' : ` ${rest} ${smallName}`}`;
}

/** "4 min ago", "in 2 h". */
export function relative(at: string, nowMs: number): string {
  const seconds = (Date.parse(at) - nowMs) / 1000;
  if (Math.abs(seconds) < 1) return 'now';
  const text = oneUnit(Math.abs(seconds));
  return seconds < 0 ? `${text} ago` : `in ${text}`;
}

function oneUnit(seconds: number): string {
  if (seconds < minute) return `${Math.floor(seconds)} s`;
  if (seconds < hour) return `${Math.round(seconds / minute)} min`;
  return seconds < 2 * dayLength ? `${Math.round(seconds / hour)} h` : `${Math.round(seconds / dayLength)} days`;
}

/** Days are of UTC: what is told by the day is shown in it, all else in the reader's own zone, which is what undefined means. */
export type Zone = 'UTC' | undefined;

export function exact(at: string, timeZone?: Zone): string {
  return new Date(at).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'long', timeZone });
}

/** A day of UTC, or that of a moment in it. */
export function day(at: string): string {
  return new Date(at).toLocaleDateString('en-GB', { dateStyle: 'medium', timeZone: 'UTC' });
}

/** On an axis of so many milliseconds: no finer than it needs to tell one tick from the next. */
export function tick(at: Date, spanMs: number, timeZone?: Zone): string {
  return at.toLocaleString('en-GB', { ...tickParts(spanMs / 1000), timeZone });
}

function tickParts(spanSeconds: number): Intl.DateTimeFormatOptions {
  const time = { hour: '2-digit', minute: '2-digit' } as const;
  if (spanSeconds < 10 * minute) return { ...time, second: '2-digit' };
  if (spanSeconds < dayLength) return time;
  return spanSeconds < 3 * dayLength ? { weekday: 'short', ...time } : { day: 'numeric', month: 'short' };
}
