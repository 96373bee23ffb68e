const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

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

/** The interface's unit is the PFLOP/s-day; one core for a minute is some millionths of it. */
export const compute = (petaflopDays: number): string => `${computeShort(petaflopDays)}FLOP/s-days`;

/** The same without its unit, FLOP/s-days, for axes and large type. */
export const computeShort = (petaflopDays: number): string => withPrefix(petaflopDays * 1e15);

export const bytes = (sizeBytes: number): string => `${withPrefix(sizeBytes)}B`;

function withPrefix(value: number): string {
  const prefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z'];
  const height = value < 1 ? 0 : Math.min(prefixes.length - 1, Math.floor(Math.log10(value) / 3));
  return `${Number((value / 1000 ** height).toPrecision(3))} ${prefixes[height]}`;
}

/** The two largest units. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < minute) return `${whole} s`;
  if (whole < hour) return pair(whole, [minute, 'min'], [1, 's']);
  if (whole < day) return pair(whole, [hour, 'h'], [minute, 'min']);
  return pair(whole, [day, 'd'], [hour, 'h']);
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
  return seconds < 2 * day ? `${Math.round(seconds / hour)} h` : `${Math.round(seconds / day)} days`;
}

export function exact(at: string): string {
  return new Date(at).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'long' });
}

/** On an axis: the hour within a day or two, else the date. */
export function tick(at: Date, isByHour: boolean): string {
  return at.toLocaleString(
    'en-GB',
    isByHour ? { weekday: 'short', hour: '2-digit', minute: '2-digit' } : { day: 'numeric', month: 'short' },
  );
}
