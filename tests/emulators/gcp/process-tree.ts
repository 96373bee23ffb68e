import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Every process of a machine: what descends from its first process, and what works inside of its directory, such as an orphan
 * whose parent has gone.
 */
export function processesOf(rootPid: number | undefined, directory: string): number[] {
  const parents = new Map<number, number>();
  const found = new Set<number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const parent = parentOf(pid);
    if (parent === undefined) continue;
    parents.set(pid, parent);
    if (pid === rootPid || isInside(pid, directory)) found.add(pid);
  }
  for (let size = -1; size !== found.size;) {
    size = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  found.delete(process.pid);
  return [...found];
}

export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended by itself.
    }
  }
}

/** Kills until nothing is left: what is found may start another before it is hit. */
export async function killTree(rootPid: number | undefined, directory: string): Promise<void> {
  for (;;) {
    const pids = processesOf(rootPid, directory).filter((pid) => !isZombie(pid));
    if (pids.length === 0) return;
    signalAll(pids, 'SIGSTOP');
    signalAll(processesOf(rootPid, directory), 'SIGKILL');
    await sleep(5);
  }
}

function parentOf(pid: number): number | undefined {
  return Number(statOf(pid)?.[1]) || undefined;
}

function isZombie(pid: number): boolean {
  const state = statOf(pid)?.[0];
  return state === undefined || state === 'Z';
}

/** State and parent: the fields after the name, which may hold anything. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function isInside(pid: number, directory: string): boolean {
  try {
    const cwd = readlinkSync(`/proc/${pid}/cwd`);
    return cwd === directory || cwd.startsWith(`${directory}/`);
  } catch {
    return false;
  }
}
