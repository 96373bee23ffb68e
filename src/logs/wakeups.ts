import type { Listener } from '../db/listen.ts';

/** What the database says on commit: a chunk of log was stored, an event was written, both with the job; a round of dispatch was recorded. */
export type Channel = 'weir_log' | 'weir_job' | 'weir_round';

/** In place of a job: whatever the channel says. */
export const anything = '*';

export type Watch = {
  /** Resolves when something was said since the last call, when the time is up, or when the signal is aborted. */
  next: (timeoutMs: number, signal: AbortSignal) => Promise<void>;
  close: () => void;
};

/** Many who follow a job, or all of them, over one connection to the database. */
export type Wakeups = { watch: (jobId: string, channels: readonly Channel[]) => Watch };

export function createWakeups(listener: Listener): Wakeups {
  const watchers = new Map<string, Set<() => void>>();
  const listening = new Map<Channel, Promise<unknown>>();

  const listen = (channel: Channel): void => {
    if (listening.has(channel)) return;
    const started = listener.on(channel, (jobId) => {
      for (const about of [jobId, anything]) for (const wake of watchers.get(`${channel} ${about}`) ?? []) wake();
    });
    listening.set(channel, started);
    // Without the connection the time limits of those who wait take over; the next to come tries again.
    started.catch(() => listening.delete(channel));
  };

  return {
    watch: (jobId, channels) => {
      const { wake, next } = createBell();
      const keys = channels.map((channel) => `${channel} ${jobId}`);
      for (const key of keys) watchers.set(key, (watchers.get(key) ?? new Set()).add(wake));
      for (const channel of channels) listen(channel);
      return { next, close: () => keys.forEach((key) => forget(watchers, key, wake)) };
    },
  };
}

function forget(watchers: Map<string, Set<() => void>>, key: string, wake: () => void): void {
  const group = watchers.get(key);
  group?.delete(wake);
  if (group?.size === 0) watchers.delete(key);
}

/** Remembers that it rang while nobody waited. */
function createBell(): { wake: () => void; next: Watch['next'] } {
  let hasRung = false;
  let ring: () => void = () => undefined;
  return {
    wake: () => {
      hasRung = true;
      ring();
    },
    next: async (timeoutMs, signal) => {
      if (!hasRung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(done, timeoutMs);
          function done(): void {
            clearTimeout(timer);
            signal.removeEventListener('abort', done);
            resolve();
          }
          ring = done;
          signal.addEventListener('abort', done);
        });
      }
      hasRung = false;
    },
  };
}
