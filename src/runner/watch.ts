import { setTimeout as sleep } from 'node:timers/promises';
import type { Assignment, Boot, Heartbeat } from '../protocol/runner.ts';
import type { RunningCommand } from './command.ts';
import { isFull, ownedBytes, usedBytes } from './disk.ts';
import { createGpuSampler } from './gpus.ts';
import { sharedMemoryOf, usedMemory } from './memory.ts';
import { Failure, inGiB, machineDiskFull, outOfMemory } from './verdict.ts';

const memoryPollMs = 250;
const sharedMemoryPollMs = 1000;
const diskPollMs = 1000;
/** Looking through much memory or a large tree takes long: no more than these shares of the time. */
const memoryShare = 1 / 5;
const diskShare = 1 / 20;
const ticksPerSecond = 100;
/** Where a job that sees the machine's files may leave some outside of its own directories. */
const openDirectories = ['/tmp', '/var/tmp'];

export type Sample = NonNullable<Heartbeat['sample']>;

export type Watch = { sample: () => Sample | undefined; end: () => void };

export type Watched = {
  command: RunningCommand;
  limits: Assignment['limits'];
  boot: Boot;
  /** The uid of a job that sees the machine's files, and only it has; null where there is none, or it sees its own only. */
  roamingUid: number | null;
};

/** Looks at what the job uses, for the heartbeats and for its limits. `onBreach` is called once. */
export function watchCommand(watched: Watched, onBreach: (failure: Failure) => void): Watch {
  const { command, limits, boot, roamingUid } = watched;
  const ended = new AbortController();
  const pause = (ms: number) => sleep(ms, undefined, { signal: ended.signal });
  const gpus = createGpuSampler(limits.gpus);
  let sample: Sample | undefined;
  let sharedMemoryBytes = 0;

  const watchSharedMemory = async (): Promise<void> => {
    for (;;) {
      const pid = command.pidInside();
      if (roamingUid !== null) sharedMemoryBytes = await ownedBytes(roamingUid, ['/dev/shm']);
      else if (pid !== undefined) sharedMemoryBytes = await sharedMemoryOf(pid);
      await pause(sharedMemoryPollMs);
    }
  };

  const watchMemory = async (): Promise<void> => {
    let before = { cpuTicks: 0, atMs: performance.now() };
    for (let delayMs = memoryPollMs; ;) {
      await pause(delayMs);
      const processes = command.census();
      const pids = processes.map(({ pid }) => pid);
      const cpuTicks = processes.reduce((sum, found) => sum + found.cpuTicks, 0);
      const atMs = performance.now();
      const usage = await usedMemory(pids, sharedMemoryBytes, limits.memoryBytes);
      // Processes that ended took their time with them.
      const cpuPercent = (Math.max(0, cpuTicks - before.cpuTicks) / ticksPerSecond / (atMs - before.atMs)) * 100_000;
      before = { cpuTicks, atMs };
      sample = { cpuPercent: Math.round(cpuPercent), memoryBytes: usage, gpus: gpus.latest() };
      if (usage > limits.memoryBytes) return onBreach(outOfMemory(limits.memoryBytes, usage));
      delayMs = Math.max(memoryPollMs, (performance.now() - atMs) / memoryShare);
    }
  };

  const watchDisk = async (): Promise<void> => {
    const own = [boot.workDir, boot.tmpDir];
    for (let delayMs = diskPollMs; ;) {
      await pause(delayMs);
      const startMs = performance.now();
      const elsewhere = roamingUid === null ? 0 : await ownedBytes(roamingUid, openDirectories, own);
      const used = (await usedBytes(own)) + elsewhere;
      if (used > limits.diskBytes) return onBreach(diskFull(used, limits.diskBytes));
      if (await isFull(boot.workDir)) return onBreach(machineDiskFull(boot));
      delayMs = Math.max(diskPollMs, (performance.now() - startMs) / diskShare);
    }
  };

  for (const loop of [watchMemory(), watchSharedMemory(), watchDisk()]) loop.catch(() => undefined);
  return {
    sample: () => sample,
    end: () => {
      gpus.end();
      ended.abort();
    },
  };
}

function diskFull(used: number, limit: number): Failure {
  return new Failure(
    'disk-full',
    `The job's files took ${inGiB(used)} of its ${inGiB(limit)} of disk. Write less, or ask for more with resources.diskGiB.`,
  );
}
