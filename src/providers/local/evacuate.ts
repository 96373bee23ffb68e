import { setTimeout as sleep } from 'node:timers/promises';
import { endInstance, listInstances, type InstanceOptions } from './instances.ts';

/** A service that was asked to stop has 10 s in all. */
const graceMs = 4_000;
const pollMs = 50;

/** Ends all runners of this machine: each has its job write a checkpoint and reports that it was preempted. */
export async function evacuate(options: InstanceOptions): Promise<void> {
  for (;;) {
    const living = await listInstances(options);
    if (living.length === 0) return;
    await Promise.allSettled(living.map(({ name }) => endInstance(name, { ...options, graceMs })));
    await sleep(pollMs);
  }
}
