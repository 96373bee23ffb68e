import { setTimeout as sleep } from 'node:timers/promises';
import { Away } from './failure.ts';

/** As long as a weir or a store may be away while it is restarted. */
const standardMs = 20_000;
/** For what is followed for hours. */
export const longPatienceMs = 120_000;
const firstPauseMs = 500;
const longestPauseMs = 2_000;

export type Patience = {
  /** Waits before the next try. @throws what it is given, where no try would help or they have failed for too long. */
  outlast: (error: unknown) => Promise<void>;
  /** Something has gone well. */
  renew: () => void;
};

export function createPatience(patienceMs = standardMs): Patience {
  let endMs: number | undefined;
  let pauseMs = firstPauseMs;
  return {
    outlast: async (error) => {
      if (!(error instanceof Away)) throw error;
      endMs ??= Date.now() + patienceMs;
      if (Date.now() + pauseMs > endMs) throw error;
      await sleep(pauseMs);
      pauseMs = Math.min(2 * pauseMs, longestPauseMs);
    },
    renew: () => {
      endMs = undefined;
      pauseMs = firstPauseMs;
    },
  };
}

/** Tries until it goes well, as long as patience lasts. */
export async function retrying<T>(work: () => Promise<T>, { outlast } = createPatience()): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      await outlast(error);
    }
  }
}
