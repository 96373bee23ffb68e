import type { Clock } from '../core/time.ts';

/** `read`, asked at most once in `lifeMs`; who asks meanwhile waits for the same answer. A failed read is not kept. */
export function cached<T>(read: () => Promise<T>, lifeMs: number, now: Clock): () => Promise<T> {
  let kept: { at: number; value: Promise<T> } | undefined;
  return () => {
    const at = now().getTime();
    if (kept !== undefined && at - kept.at < lifeMs) return kept.value;
    const value = read();
    const entry = { at, value };
    kept = entry;
    value.catch(() => {
      if (kept === entry) kept = undefined;
    });
    return value;
  };
}
