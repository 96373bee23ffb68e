const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** @param {number} value */
export function usd(value) {
  const isSmall = value !== 0 && Math.abs(value) < 0.1;
  const digits = isSmall ? { maximumSignificantDigits: 2 } : { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return value.toLocaleString('en-US', { style: 'currency', currency: 'USD', ...digits });
}

/** @param {{ p10: number, p90: number }} range */
export const usdRange = ({ p10, p90 }) => `${usd(p10)} to ${usd(p90)}`;

/** @param {number} part */
export const percent = (part) => `${(part * 100).toFixed(1)} %`;

/** @param {number} value */
export const count = (value) => value.toLocaleString('en-US', { maximumFractionDigits: 2 });

/** The interface's unit is the PFLOP/s-day; one core for a minute is some millionths of it. @param {number} petaflopDays */
export function compute(petaflopDays) {
  return `${withPrefix(petaflopDays * 1e15, 1000)}FLOP/s-days`;
}

/** @param {number} sizeBytes */
export const bytes = (sizeBytes) => `${withPrefix(sizeBytes, 1000)}B`;

/** @param {number} value @param {number} step */
function withPrefix(value, step) {
  const prefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
  const height = value < 1 ? 0 : Math.min(prefixes.length - 1, Math.floor(Math.log(value) / Math.log(step)));
  return `${Number((value / step ** height).toPrecision(3))} ${prefixes[height]}`;
}

/** The two largest units. @param {number} seconds */
export function duration(seconds) {
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < minute) return `${whole} s`;
  if (whole < hour) return pair(whole, [minute, 'min'], [1, 's']);
  if (whole < day) return pair(whole, [hour, 'h'], [minute, 'min']);
  return pair(whole, [day, 'd'], [hour, 'h']);
}

/** @param {number} whole @param {[number, string]} large @param {[number, string]} small */
function pair(whole, [large, largeName], [small, smallName]) {
  const rest = Math.floor((whole % large) / small);
  return `${Math.floor(whole / large)} ${largeName}${rest === 0 ? '' : ` ${rest} ${smallName}`}`;
}

/** "4 min ago", "in 2 h". @param {string} at @param {number} nowMs */
export function relative(at, nowMs) {
  const seconds = (Date.parse(at) - nowMs) / 1000;
  if (Math.abs(seconds) < 1) return 'now';
  const text = oneUnit(Math.abs(seconds));
  return seconds < 0 ? `${text} ago` : `in ${text}`;
}

/** @param {number} seconds */
function oneUnit(seconds) {
  if (seconds < minute) return `${Math.floor(seconds)} s`;
  if (seconds < hour) return `${Math.round(seconds / minute)} min`;
  return seconds < 2 * day ? `${Math.round(seconds / hour)} h` : `${Math.round(seconds / day)} days`;
}

/** @param {string} at */
export function exact(at) {
  return new Date(at).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'long' });
}
