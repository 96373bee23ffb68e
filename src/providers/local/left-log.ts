import { readdir } from 'node:fs/promises';
import { signal } from './processes.ts';
import { withClaim } from './records.ts';
import { findDelivery, logDirectoryOf, startDelivery, type StartOptions } from './start.ts';

/**
 * Has what a killed runner had not sent of its log delivered, by a process of its own that outlives weir as runners do.
 * @returns whether something is left to deliver.
 */
export async function deliverLeftLog(directory: string, options: StartOptions): Promise<boolean> {
  if (!(await hasLeftLog(directory))) return false;
  await withClaim(directory, async () => {
    if (findDelivery(directory) === undefined) await startDelivery(directory, options);
  });
  return true;
}

/** It has had its time. */
export function endDelivery(directory: string): void {
  const delivery = findDelivery(directory);
  if (delivery !== undefined) signal(delivery, 'SIGKILL');
}

async function hasLeftLog(directory: string): Promise<boolean> {
  return (await readdir(logDirectoryOf(directory)).catch(() => [])).length > 0;
}
