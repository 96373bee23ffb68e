import { rmSync } from 'node:fs';
import { constants } from 'node:os';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs `work` and then removes a file or directory that is only for it, also where a signal or an exit cuts the work short. */
export async function removingAfter<T>(path: string, work: () => Promise<T>): Promise<T> {
  const remove = () => rmSync(path, { recursive: true, force: true });
  // What a shell calls a process that a signal ended.
  const leave = (signal: NodeJS.Signals) => process.exit(128 + constants.signals[signal]);
  process.once('exit', remove);
  for (const signal of signals) process.once(signal, leave);
  try {
    return await work();
  } finally {
    remove();
    process.off('exit', remove);
    for (const signal of signals) process.off(signal, leave);
  }
}
