import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export type SeenProcess = { pid: number; command: string };

/** All processes that have this directory in their arguments, their environment or their working directory. */
export function processesOf(directory: string): SeenProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({ pid: Number(name), command: read(`/proc/${name}/cmdline`).replaceAll('\0', ' ') }))
    .filter(({ pid, command }) =>
      [command, read(`/proc/${pid}/environ`), workingDirectory(pid)].some((text) => text.includes(directory)),
    );
}

/** Empty where the process is gone or not ours to look at. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function workingDirectory(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}
