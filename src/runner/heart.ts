import { setTimeout as sleep } from 'node:timers/promises';
import type { Directive, Heartbeat } from '../protocol/runner.ts';
import type { Broker } from './broker.ts';

export type Heart = {
  /** Does not wait for its turn, so that the broker hears at once. */
  beatNow: () => void;
  /** Rejects where the broker will not take a beat. */
  beating: Promise<void>;
  /** The last beat, with the last progress. */
  finish: () => Promise<void>;
};

/** Tells the broker how the job is, again and again, and hears what to do. */
export function startHeart(
  broker: Broker,
  intervalMs: number,
  state: () => Heartbeat,
  obey: (directive: Directive) => void,
): Heart {
  let isEnding = false;
  let wake = new AbortController();

  const beat = async (): Promise<void> => {
    while (!isEnding) {
      const { signal } = wake;
      obey(await broker.heartbeat(state()));
      await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const beating = beat();

  const beatNow = (): void => {
    wake.abort();
    wake = new AbortController();
  };
  return {
    beatNow,
    beating,
    finish: async () => {
      isEnding = true;
      beatNow();
      await beating;
      await broker.heartbeat(state());
    },
  };
}
