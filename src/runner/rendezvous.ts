import type { Rendezvous } from '../protocol/runner.ts';

export type Meeting = {
  /** What an answer of the broker said of it. */
  hear: (rendezvous: Rendezvous | null) => void;
  /** The addresses of all nodes, once the last has claimed. */
  wait: (signal: AbortSignal) => Promise<Rendezvous>;
};

export function createMeeting(): Meeting {
  let meet: (rendezvous: Rendezvous) => void = () => undefined;
  const met = new Promise<Rendezvous>((resolve) => (meet = resolve));
  return {
    hear: (rendezvous) => {
      if (rendezvous !== null) meet(rendezvous);
    },
    wait: (signal) => {
      const stopped = new Promise<never>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
      );
      signal.throwIfAborted();
      return Promise.race([met, stopped]);
    },
  };
}
