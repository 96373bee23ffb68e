import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config.ts';
import { createLocalProvider } from '../../src/providers/local/provider.ts';
import { argumentsOf, listProcesses, type Process } from '../../src/providers/local/processes.ts';
import type { InstanceRequest, Provider } from '../../src/providers/provider.ts';
import { waitFor } from '../support/wait.ts';
import type { Subject } from './contract.ts';

export const standInRunner = join(import.meta.dirname, 'stand-in-runner.ts');
/** What an operator would name as a key file. */
export const ownFile = '/srv/weir-test/google.json';
export const isRoot = process.getuid?.() === 0;

const forever = 'while :; do sleep 1; done';

export type LocalSubject = Subject & {
  dataDir: string;
  workRoot: string;
  /** A request for a job of this shell command. */
  job: (name: string, command: string) => InstanceRequest;
  /** Moves the provider's clock. */
  pass: (milliseconds: number) => void;
  runners: (name: string) => Process[];
  /** What the job has written into its working directory, once it has. */
  written: (name: string, file: string) => Promise<string>;
  workDirOf: (name: string) => string;
};

/** The local provider in directories of its own: the data directory closed to others, the working directories not. */
export async function openLocal(isolation: NonNullable<Config['local']['isolation']>): Promise<LocalSubject> {
  const root = await mkdtemp(join(tmpdir(), 'weir-local-'));
  await chmod(root, 0o711);
  const dataDir = join(root, 'data');
  const workDir = join(root, 'work');
  await mkdir(dataDir, { mode: 0o700 });
  let passedMs = 0;
  const errors: unknown[] = [];
  const opened: Provider[] = [];
  const open = async () => {
    const provider = await createLocalProvider({
      dataDir,
      installation: `test-${randomUUID()}`,
      hostId: 'test',
      config: { isolation, workDir },
      graceMs: 1_000,
      hostEnv: process.env,
      ownFiles: [ownFile],
      onError: (error) => errors.push(error),
      runnerPath: standInRunner,
      now: () => new Date(Date.now() + passedMs),
    });
    opened.push(provider);
    return provider;
  };
  const job = (name: string, command: string): InstanceRequest => ({
    name,
    labels: { installation: 'test', tenant: 'tnt_a', job: 'job_a', attempt: 1 },
    region: 'local',
    zone: 'local',
    machineType: 'local',
    accelerators: { kind: 'cpu', count: 1 },
    market: 'on-demand',
    limits: { cpus: 1, memoryBytes: 1, diskBytes: 1, gpus: [] },
    image: null,
    brokerUrl: 'http://127.0.0.1:1',
    bootstrapToken: command,
    gang: { node: 0, bootstrapTokens: [command] },
    maxRunSeconds: 3600,
  });
  const workDirOf = (name: string) => join(workDir, 'jobs', name, 'work');
  const runners = (name: string) => {
    const alike = listProcesses().filter((each) =>
      argumentsOf(each).includes(join(dataDir, 'instances', name, 'boot.json')),
    );
    // A child that a runner has just forked still reads like it.
    return alike.filter(({ parentPid }) => !alike.some(({ pid }) => pid === parentPid));
  };
  const provider = await open();

  return {
    provider,
    dataDir,
    workRoot: workDir,
    job,
    runners,
    workDirOf,
    request: (name) => job(name, forever),
    reopen: open,
    pass: (milliseconds) => {
      passedMs += milliseconds;
    },
    count: async (name) => runners(name).length,
    crash: async (name) => {
      for (const { pid } of runners(name)) process.kill(pid, 'SIGKILL');
      await waitFor('the runner to die', () => runners(name).length === 0);
    },
    written: (name, file) =>
      waitFor(`${name} to write ${file}`, () =>
        readFile(join(workDirOf(name), file), 'utf8').then(
          (text) => text.endsWith('\n') && text.trim(),
          () => false,
        ),
      ),
    close: async () => {
      await waitFor('all instances to be gone', async () => {
        const left = await provider.list();
        for (const instance of left) await provider.destroy(instance);
        passedMs += 10_000;
        return left.length === 0;
      });
      for (const each of opened) await each.close();
      await rm(root, { recursive: true, force: true });
      if (errors.length > 0) throw errors[0];
    },
  };
}
