import { setTimeout as sleep } from 'node:timers/promises';
import type { Assignment, Heartbeat } from '../protocol/runner.ts';
import { sharedOnceBytes, type Census } from './census.ts';
import { isFull, usedBytes } from './disk.ts';
import { createGpuSampler } from './gpus.ts';
import { Failure, inGiB, outOfMemory } from './verdict.ts';

const memoryPollMs = 250;
const diskPollMs = 1000;
/** Looking through a large tree takes long: no more than this share of the time. */
const diskShare = 1 / 20;
const ticksPerSecond = 100;

export type Sample = NonNullable<Heartbeat['sample']>;

export type Watch = { sample: () => Sample | undefined; end: () => void };

/** Looks at what the job uses, for the heartbeats and for its limits. `onBreach` is called once. */
export function watchCommand(
  census: Census,
  limits: Assignment['limits'],
  directories: string[],
  onBreach: (failure: Failure) => void,
): Watch {
  const ended = new AbortController();
  const gpus = createGpuSampler(limits.gpus);
  let sample: Sample | undefined;

  const watchMemory = async (): Promise<void> => {
    let before = { cpuTicks: 0, atMs: performance.now() };
    for (;;) {
      await sleep(memoryPollMs, undefined, { signal: ended.signal });
      const processes = census();
      const usage = memoryOf(processes, limits.memoryBytes);
      const cpuTicks = processes.reduce((sum, found) => sum + found.cpuTicks, 0);
      const atMs = performance.now();
      // Processes that ended took their time with them.
      const cpuPercent = (Math.max(0, cpuTicks - before.cpuTicks) / ticksPerSecond / (atMs - before.atMs)) * 100_000;
      before = { cpuTicks, atMs };
      sample = { cpuPercent: Math.round(cpuPercent), memoryBytes: usage, gpus: gpus.latest() };
      if (usage > limits.memoryBytes) return onBreach(outOfMemory(limits.memoryBytes, usage));
    }
  };

  const watchDisk = async (): Promise<void> => {
    for (let delayMs = diskPollMs; ;) {
      await sleep(delayMs, undefined, { signal: ended.signal });
      const startMs = performance.now();
      const used = await usedBytes(directories);
      if (used > limits.diskBytes)
        return onBreach(diskFull(`The job's files took ${inGiB(used)} of its ${inGiB(limits.diskBytes)} of disk.`));
      if (directories[0] !== undefined && (await isFull(directories[0])))
        return onBreach(diskFull('The machine’s disk is full.'));
      delayMs = Math.max(diskPollMs, (performance.now() - startMs) / diskShare);
    }
  };

  for (const loop of [watchMemory(), watchDisk()]) loop.catch(() => undefined);
  return {
    sample: () => sample,
    end: () => {
      gpus.end();
      ended.abort();
    },
  };
}

/** The sum of resident sizes counts shared pages many times: only when that is too much, the exact sum is worth its cost. */
function memoryOf(processes: ReturnType<Census>, limitBytes: number): number {
  const resident = processes.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  return resident <= limitBytes ? resident : Math.min(resident, sharedOnceBytes(processes));
}

function diskFull(what: string): Failure {
  return new Failure('disk-full', `${what} Write less, or ask for more with resources.diskGiB.`);
}
