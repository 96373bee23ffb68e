import type { Clock } from './time.ts';

export type Cache<T> = { get: (key: string) => Promise<T>; forget: (key: string) => void };

/** A key beyond so many drops all: a cache of this size that is full has seen a whole installation. */
const maxKeys = 10_000;

/** `read`, asked at most once a key in `lifeMs`; who asks meanwhile waits for the same answer. A failed read is not kept. */
export function createCache<T>(read: (key: string) => Promise<T>, lifeMs: number, now: Clock): Cache<T> {
  const kept = new Map<string, { at: number; value: Promise<T> }>();
  return {
    get: (key) => {
      const at = now().getTime();
      const known = kept.get(key);
      if (known !== undefined && at - known.at < lifeMs) return known.value;
      if (kept.size >= maxKeys) kept.clear();
      const entry = { at, value: read(key) };
      kept.set(key, entry);
      entry.value.catch(() => {
        if (kept.get(key) === entry) kept.delete(key);
      });
      return entry.value;
    },
    forget: (key) => void kept.delete(key),
  };
}
