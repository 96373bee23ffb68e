import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Boot, Isolation } from '../../protocol/runner.ts';
import type { InstanceRequest } from '../provider.ts';
import { jobEnvironment, runnerEnvironment, type HostEnvironment } from './environment.ts';
import type { IsolationChoice } from './isolation.ts';
import type { Places } from './places.ts';
import { argumentsOf, findProcess, listProcesses, type ProcessId } from './processes.ts';
import type { InstanceRecord } from './records.ts';

export type StartOptions = {
  places: Places;
  isolation: IsolationChoice;
  runnerPath: string;
  hostEnv: HostEnvironment;
  passEnv: string[];
  /** Files and directories of weir's own. */
  hidden: string[];
};

const address = '127.0.0.1';

/** Starts the runner so that it outlives this process: in a session of its own, its output in a file. */
export async function startRunner(
  directory: string,
  record: InstanceRecord,
  request: InstanceRequest,
  options: StartOptions,
): Promise<ProcessId> {
  const { places, hostEnv, passEnv } = options;
  const shared = jobEnvironment(hostEnv, passEnv);
  const boot: Boot = {
    brokerUrl: request.brokerUrl,
    bootstrapToken: request.bootstrapToken,
    stateDir: stateDirOf(directory),
    workDir: insideOf(record),
    tmpDir: join(record.workDir, 'tmp'),
    hidden: options.hidden,
    address,
    isolation: isolationOf(record, options.isolation),
    toolDirs: [places.tools],
    env: shared,
    ownsMachine: false,
  };
  await mkdir(boot.stateDir, { recursive: true, mode: 0o700 });
  await makeWorkDir(record);
  await writeFile(bootFileOf(directory), JSON.stringify(boot), { mode: 0o600 });

  return startProgram(
    directory,
    [bootFileOf(directory)],
    runnerEnvironment(hostEnv, shared, places.compileCache),
    options,
  );
}

/** Starts the program that delivers what a killed runner of this directory left of its log. */
export async function startDelivery(directory: string, options: StartOptions): Promise<void> {
  const { hostEnv, places } = options;
  await startProgram(directory, deliveryOf(directory), runnerEnvironment(hostEnv, {}, places.compileCache), options);
}

async function startProgram(
  directory: string,
  args: string[],
  env: Record<string, string>,
  { runnerPath }: StartOptions,
): Promise<ProcessId> {
  const log = await open(runnerLogOf(directory), 'a', 0o600);
  try {
    const child = spawn(process.execPath, [runnerPath, ...args], {
      detached: true,
      cwd: '/',
      stdio: ['ignore', log.fd, log.fd],
      env,
    });
    await once(child, 'spawn');
    child.unref();
    const pid = child.pid ?? 0;
    return { pid, startTicks: findProcess(pid)?.startTicks ?? 0 };
  } finally {
    await log.close();
  }
}

/** Fills an empty compile cache by starting the runner without anything to do, so that the first job starts as fast as the others. */
export async function warmUp({ places, runnerPath, hostEnv }: StartOptions): Promise<void> {
  if ((await readdir(places.compileCache)).length > 0) return;
  const env = runnerEnvironment(hostEnv, {}, places.compileCache);
  const child = spawn(process.execPath, [runnerPath], { cwd: '/', stdio: 'ignore', env });
  await once(child, 'exit');
}

/** The runner that a killed weir started and did not get to write down. */
export function findRunner(directory: string): ProcessId | undefined {
  const candidates = listProcesses().filter((process) => argumentsOf(process).includes(bootFileOf(directory)));
  // What a runner starts is a copy of it, arguments and all, until it becomes another program.
  const found = candidates.find(({ parentPid }) => !candidates.some(({ pid }) => pid === parentPid));
  return found === undefined ? undefined : { pid: found.pid, startTicks: found.startTicks };
}

/** The process that delivers what a killed runner left, while it is at it. */
export function findDelivery(directory: string): ProcessId | undefined {
  const [verb, stateDir] = deliveryOf(directory);
  return listProcesses().find((process) => {
    const args = argumentsOf(process);
    return args.includes(verb) && args.includes(stateDir);
  });
}

/** Where a runner spools its log: see src/runner/deliver.ts. */
export function logDirectoryOf(directory: string): string {
  return join(stateDirOf(directory), 'log');
}

function deliveryOf(directory: string): [verb: string, stateDir: string] {
  return ['deliver', stateDirOf(directory)];
}

function stateDirOf(directory: string): string {
  return join(directory, 'state');
}

export function runnerLogOf(directory: string): string {
  return join(directory, 'runner.log');
}

function bootFileOf(directory: string): string {
  return join(directory, 'boot.json');
}

/** Where the job works. It may open this to everyone; the directory around it is not the job's to open. */
function insideOf({ workDir }: InstanceRecord): string {
  return join(workDir, 'work');
}

async function makeWorkDir(record: InstanceRecord): Promise<void> {
  const { workDir, uid } = record;
  await mkdir(insideOf(record), { recursive: true, mode: 0o700 });
  if (uid === null) return;
  await chown(workDir, process.getuid?.() ?? 0, uid);
  await chmod(workDir, 0o710);
  await chown(insideOf(record), uid, uid);
}

function isolationOf({ uid }: InstanceRecord, { kind }: IsolationChoice): Isolation {
  if (kind === 'bubblewrap') return { kind, uid };
  return uid === null ? { kind: 'none' } : { kind: 'user', uid };
}
