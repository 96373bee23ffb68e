import { readFileSync } from 'node:fs';
import { readFile, statfs } from 'node:fs/promises';

/** Of processes, in bytes. What a file holds is left out: the kernel takes its pages back when it needs them. */
type Memory = {
  own: number;
  /** Of shared mappings and of files in /dev/shm. */
  shared: number;
};

/**
 * What a job's processes hold, with what lies in its /dev/shm, mapped or not. Their resident sizes count what they share many times: only
 * where that is too much, the exact sum is worth its cost.
 */
export async function usedMemory(pids: number[], inFilesBytes: number, limitBytes: number): Promise<number> {
  const resident = total(pids.map(residentMemory), inFilesBytes);
  if (resident <= limitBytes) return resident;
  const exact: Memory[] = [];
  for (const pid of pids) exact.push((await proportionalMemory(pid)) ?? residentMemory(pid));
  return Math.min(resident, total(exact, inFilesBytes));
}

function total(all: Memory[], inFilesBytes: number): number {
  const sum = (part: keyof Memory) => all.reduce((bytes, memory) => bytes + memory[part], 0);
  return sum('own') + Math.max(sum('shared'), inFilesBytes);
}

function residentMemory(pid: number): Memory {
  const status = readText(`/proc/${pid}/status`);
  return { own: kilobytes(status, 'RssAnon') ?? 0, shared: kilobytes(status, 'RssShmem') ?? 0 };
}

/** Undefined where the process has ended, or the kernel does not tell. */
async function proportionalMemory(pid: number): Promise<Memory | undefined> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1').catch(() => '');
  const own = kilobytes(rollup, 'Pss_Anon');
  const shared = kilobytes(rollup, 'Pss_Shmem');
  return own === undefined || shared === undefined ? undefined : { own, shared };
}

function kilobytes(text: string, name: string): number | undefined {
  const found = new RegExp(`^${name}:\\s+([0-9]+) kB`, 'm').exec(text)?.[1];
  return found === undefined ? undefined : Number(found) * 1024;
}

/** What lies in the /dev/shm that this process sees. */
export function sharedMemoryOf(pid: number): Promise<number> {
  return statfs(`/proc/${pid}/root/dev/shm`).then(
    ({ blocks, bfree, bsize }) => (blocks - bfree) * bsize,
    () => 0,
  );
}

/** bubblewrap's first process in the job's namespaces. */
export function firstInside(rootPid: number): number | undefined {
  const [pid] = readText(`/proc/${rootPid}/task/${rootPid}/children`).split(' ');
  return pid === undefined || pid === '' ? undefined : Number(pid);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
