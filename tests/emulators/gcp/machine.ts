import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, openSync, closeSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Port } from './network.ts';
import { killTree, processesOf, signalAll } from './process-tree.ts';

export type Machine = {
  directory: string;
  /** What the startup script wrote, as the serial port shows it. */
  serialOutput: () => string;
  pids: () => number[];
  /** Tells all that runs to end, as an operating system that shuts down does, and cuts the power after so long at most. */
  shutDown: (noticeMs: number) => Promise<void>;
  cutPower: () => Promise<void>;
};

export type MachineOptions = {
  directory: string;
  startupScript: string;
  /** Its place in the network; or, where machines have none of their own, what goes into GCE_METADATA_HOST. */
  place: Port | { metadataHost: string };
  env: Record<string, string>;
  /** The machine was shut down from inside. */
  onPowerOff: () => void;
};

/**
 * The machine's first process. It runs the startup script as the guest agent does, stays when that has ended, and goes when
 * `shutdown` or `poweroff` asks for it.
 */
const initScript = `#!/bin/sh
trap 'exit 0' USR1
./startup-script </dev/null &
wait
while :; do sleep 3600 & wait $!; done
`;

const powerOff = (pidFile: string) => `#!/bin/sh\nkill -USR1 "$(cat '${pidFile}')"\n`;

/** A process tree in a directory of its own, that runs the real startup script. */
export function bootMachine(options: MachineOptions): Machine {
  const { directory, startupScript, place, env, onPowerOff } = options;
  const pidFile = join(directory, 'init.pid');
  for (const name of ['sbin', 'root', 'state', 'tmp']) mkdirSync(join(directory, name), { recursive: true });
  // A job with a uid of its own works below, and has a temporary directory.
  chmodSync(directory, 0o711);
  chmodSync(join(directory, 'state'), 0o711);
  chmodSync(join(directory, 'tmp'), 0o1777);
  writeProgram(join(directory, 'startup-script'), startupScript);
  writeProgram(join(directory, 'init'), initScript);
  for (const name of ['shutdown', 'poweroff', 'halt']) writeProgram(join(directory, 'sbin', name), powerOff(pidFile));

  const serialPort = join(directory, 'serial-port-1.log');
  const output = openSync(serialPort, 'a', 0o600);
  const init = join(directory, 'init');
  const [program = init, ...args] = 'command' in place ? place.command(init) : [init];
  const child = spawn(program, args, {
    cwd: directory,
    detached: true,
    stdio: ['ignore', output, output],
    env: {
      PATH: `${join(directory, 'sbin')}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: join(directory, 'root'),
      TMPDIR: join(directory, 'tmp'),
      STATE_DIRECTORY: join(directory, 'state'),
      ...('command' in place ? {} : { GCE_METADATA_HOST: place.metadataHost }),
      ...env,
    },
  });
  closeSync(output);
  writeFileSync(pidFile, String(child.pid));
  let isOff = false;
  child.on('exit', () => {
    if (!isOff) onPowerOff();
  });

  const cutPower = async (): Promise<void> => {
    isOff = true;
    await killTree(child.pid, directory);
    await hasExited(child);
  };
  return {
    directory,
    serialOutput: () => readFileSync(serialPort, 'utf8'),
    pids: () => processesOf(child.pid, directory),
    shutDown: async (noticeMs) => {
      isOff = true;
      const deadlineMs = Date.now() + noticeMs;
      signalAll(machineProcesses(child, directory), 'SIGTERM');
      while (Date.now() < deadlineMs && machineProcesses(child, directory).length > 0) await sleep(20);
      await cutPower();
    },
    cutPower,
  };
}

/** Those of the guest: its first process ends last. */
function machineProcesses({ pid }: ChildProcess, directory: string): number[] {
  const all = processesOf(pid, directory).filter((found) => found !== pid);
  // The init's own `sleep` is not worth waiting for.
  return all.filter((found) => !commandOf(found).startsWith('sleep\u00003600'));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

async function hasExited(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  await once(child, 'exit');
}

/** Without a first line that names one, the shell runs it. */
function writeProgram(path: string, text: string): void {
  writeFileSync(path, text.startsWith('#!') ? text : `#!/bin/sh\n${text}`, { mode: 0o700 });
}
