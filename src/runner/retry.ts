import { setTimeout as sleep } from 'node:timers/promises';

/** Short, so that a broker that comes back hears from its runners within a second. */
const firstDelayMs = 50;
const maxDelayMs = 1000;

/**
 * Waits longer after each failure, at random between half and the whole, so that runners do not come back all at once.
 * @throws the signal's reason where it is aborted
 */
export async function backOff(failures: number, signal?: AbortSignal): Promise<void> {
  const delayMs = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(failures, 10));
  await sleep(delayMs * (0.5 + Math.random() / 2), undefined, signal === undefined ? {} : { signal }).catch(
    (error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    },
  );
}

/** Worth repeating: the server is away, overloaded or broken, not the request wrong. */
export function isPassing(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}

export type Patience = {
  taken: () => void;
  /** Waits, and answers whether to ask again: not once all that was asked has been refused for too long. */
  refused: (signal: AbortSignal) => Promise<boolean>;
};

/** Of all that is asked of the same, since what one is refused the others are too. */
export function createPatience(patienceMs: number): Patience {
  let sinceMs: number | undefined;
  let refusals = 0;
  return {
    taken: () => {
      sinceMs = undefined;
      refusals = 0;
    },
    refused: async (signal) => {
      sinceMs ??= performance.now();
      if (performance.now() - sinceMs > patienceMs) return false;
      await backOff(refusals++, signal);
      return true;
    },
  };
}
