import { formatDuration } from '../../src/core/time.ts';
import { formatUsd } from '../../src/core/money.ts';
import type { Job, Offer, Percentiles } from './generated/api.ts';
import { isTerminal } from './screen.ts';

/** `3 min ago` for people, the time itself for programs. */
export function when(time: string | null): string {
  if (time === null) return '';
  if (!isTerminal) return time;
  const seconds = (Date.now() - Date.parse(time)) / 1000;
  return seconds < 0 ? `in ${roughly(-seconds)}` : `${roughly(seconds)} ago`;
}

/** The largest unit alone: `3 min`. */
function roughly(seconds: number): string {
  return formatDuration(Math.max(1, Math.round(seconds)))
    .split(' ')
    .slice(0, 2)
    .join(' ');
}

export function range(values: Percentiles, show: (value: number) => string): string {
  return `${show(values.p10)} to ${show(values.p90)}`;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

const sizes = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `12.4 MiB` for people, the bytes themselves for programs. */
export function size(bytes: number): string {
  return isTerminal ? byteText(bytes) : String(bytes);
}

export function byteText(bytes: number): string {
  const step = Math.min(sizes.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  return `${Number((bytes / 1024 ** step).toFixed(1))} ${sizes[step]}`;
}

/** `2 × 8 A100-80GB`: nodes, where there is more than one, and what each has. */
export function machines({ accelerators: { kind, count }, nodes }: Offer): string {
  const each = `${count} ${kind === 'cpu' ? (count === 1 ? 'core' : 'cores') : kind}`;
  return nodes === 1 ? each : `${nodes} × ${each}`;
}

/** With its sign before the currency's. */
export function amount(usd: number): string {
  return usd < 0 ? `-${formatUsd(-usd)}` : formatUsd(usd);
}

export function costOf({ cost: { finalUsd, accruedUsd } }: Pick<Job, 'cost'>): string {
  return formatUsd(finalUsd ?? accruedUsd);
}
