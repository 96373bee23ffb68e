import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { markerVariable } from './environment.ts';

export type JobProcess = { pid: number; ppid: number; cpuTicks: number; isRunning: boolean };

/**
 * How a job's processes are told from all others: those under the root and those of its uid; where it has no uid of its own,
 * those that carry its mark, write to its log or work in its directory.
 */
export type Identity = {
  rootPid: number;
  workDir: string;
  /** Where the pipes of its output were made. */
  pipesDir: string;
  /** The uid that only this job has; null where it shares the runner's. */
  uid: number | null;
  marker: string;
  /** True where the root and its first descendants are bubblewrap and the shell that waits in it, not the job. */
  isWrapped: boolean;
  /** Where a container engine runs the job: the id of the container, once there is one. */
  containerId?: (() => string | undefined) | undefined;
};

export type Census = () => JobProcess[];

/** Lists the job's processes as they are now, without the wrappers that are weir's own. */
export function createCensus(identity: Identity): Census {
  const strangers = new Set<string>();
  const members = new Set<string>();
  let wrapperPid: number | undefined;

  const isOfTheJob = ({ pid, hasTerminal }: Found, key: string): boolean => {
    if (strangers.has(key)) return false;
    const isJobs =
      readText(`/proc/${pid}/environ`)?.includes(`${markerVariable}=${identity.marker}`) === true ||
      linksInto(identity.pipesDir, `/proc/${pid}/fd/1`, `/proc/${pid}/fd/2`) ||
      // One with a terminal is a person looking.
      (!hasTerminal && linksInto(identity.workDir, `/proc/${pid}/cwd`));
    if (!isJobs) strangers.add(key);
    return isJobs;
  };

  return () => {
    const all = listProcesses();
    if (identity.containerId !== undefined) return inContainer(all, identity.containerId());
    const tree = descendants(all, identity.rootPid);
    if (identity.isWrapped) {
      wrapperPid ??= findWrapper(all, identity.rootPid);
      return all.filter(
        ({ pid, ppid, isRunning }) =>
          isRunning && tree.has(pid) && pid !== identity.rootPid && ppid !== identity.rootPid && pid !== wrapperPid,
      );
    }
    return all.filter((found) => {
      if (!found.isRunning) return false;
      const key = `${found.pid}:${found.startTicks}`;
      const isMember =
        tree.has(found.pid) ||
        members.has(key) ||
        (identity.uid === null ? isOfTheJob(found, key) : found.uid === identity.uid);
      if (isMember) members.add(key);
      return isMember;
    });
  };
}

/** All but the first of the container, which is the engine's and hands on signals: the others get them from the runner. */
function inContainer(all: Found[], id: string | undefined): Found[] {
  if (id === undefined) return [];
  return all.filter(
    ({ pid, isRunning }) =>
      isRunning &&
      readText(`/proc/${pid}/cgroup`)?.includes(id) === true &&
      !/^NSpid:.*\t1$/m.test(readText(`/proc/${pid}/status`) ?? ''),
  );
}

type Found = JobProcess & { startTicks: string; uid: number; hasTerminal: boolean };

function listProcesses(): Found[] {
  const found: Found[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]/.test(name) || Number(name) === process.pid) continue;
    const stat = readText(`/proc/${name}/stat`);
    if (stat !== undefined) found.push(parseStat(Number(name), stat));
  }
  return found;
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; the name in brackets may hold anything. */
function parseStat(pid: number, stat: string): Found {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0] ?? 'X';
  return {
    pid,
    ppid: Number(fields[1]),
    cpuTicks: Number(fields[11]) + Number(fields[12]),
    startTicks: fields[19] ?? '',
    hasTerminal: fields[4] !== '0',
    isRunning: state !== 'Z' && state !== 'X',
    uid: ownerOf(pid),
  };
}

function ownerOf(pid: number): number {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return -1;
  }
}

function linksInto(directory: string, ...links: string[]): boolean {
  return links.some((link) => {
    try {
      return `${readlinkSync(link)}/`.startsWith(`${directory}/`);
    } catch {
      return false;
    }
  });
}

function descendants(all: Found[], rootPid: number): Set<number> {
  const children = Map.groupBy(all, ({ ppid }) => ppid);
  const tree = new Set<number>();
  const open = [rootPid];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    if (tree.has(pid)) continue;
    tree.add(pid);
    open.push(...(children.get(pid) ?? []).map((child) => child.pid));
  }
  return tree;
}

/** The shell that waits inside: the first process after bubblewrap's own in the new pid namespace. */
function findWrapper(all: Found[], rootPid: number): number | undefined {
  const inner = all.find(({ ppid }) => ppid === rootPid);
  const isSecond = ({ pid }: Found) => /^NSpid:.*\t2$/m.test(readText(`/proc/${pid}/status`) ?? '');
  return all.find((found) => found.ppid === inner?.pid && isSecond(found))?.pid;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
