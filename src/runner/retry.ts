import { setTimeout as sleep } from 'node:timers/promises';

/** Short, so that a broker that comes back hears from its runners within a second. */
const firstDelayMs = 50;
const maxDelayMs = 1000;

/** Waits longer after each failure, at random between half and the whole, so that runners do not come back all at once. */
export async function backOff(failures: number, signal?: AbortSignal): Promise<void> {
  const delayMs = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(failures, 10));
  await sleep(delayMs * (0.5 + Math.random() / 2), undefined, signal === undefined ? {} : { signal });
}

/** Worth repeating: the server is away, overloaded or broken, not the request wrong. */
export function isPassing(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}
