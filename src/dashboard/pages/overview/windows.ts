import type { Zone } from '../../parts/format.ts';

/** How far back, and how fine the series is. */
export const windows = {
  '24h': { name: '24 hours', series: 'hour' },
  '7d': { name: '7 days', series: 'hour' },
  '30d': { name: '30 days', series: 'day' },
  '365d': { name: 'Year', series: 'day' },
} as const;

export type Window = keyof typeof windows;

/** Days are of UTC. */
export const zoneOf = (window: Window): Zone => (windows[window].series === 'day' ? 'UTC' : undefined);

export const windowName = (window: Window): string =>
  window === '365d' ? 'last year' : `last ${windows[window].name}`;
