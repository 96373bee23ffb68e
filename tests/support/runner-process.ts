import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { newToken } from '../../src/core/tokens.ts';
import type { Assignment, Boot, Report } from '../../src/protocol/runner.ts';
import { readFrames } from '../../src/runner/log-frames.ts';
import { listSegments } from '../../src/runner/log-spool.ts';
import { assignmentOf, startFakeBroker, type FakeBroker } from './fake-broker.ts';
import { waitFor } from './wait.ts';

const program = resolve(import.meta.dirname, '../../src/runner/main.ts');

export type RunnerProcess = {
  pid: number;
  boot: Boot;
  bootPath: string;
  exited: Promise<number | null>;
  stderr: () => string;
  kill: (signal: NodeJS.Signals) => void;
};

export const isRoot = process.getuid?.() === 0;

/** A real runner in a process of its own, in directories of its own. Gone with the test. */
export async function startRunner(
  brokerUrl: string,
  options: { boot?: Partial<Boot>; env?: Record<string, string>; executable?: string } = {},
): Promise<RunnerProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-runner-'));
  await chmod(directory, 0o755);
  const boot: Boot = {
    brokerUrl,
    bootstrapToken: newToken(),
    stateDir: join(directory, 'state'),
    workDir: join(directory, 'work'),
    tmpDir: join(directory, 'tmp'),
    hidden: [],
    address: '127.0.0.1',
    isolation: { kind: 'none' },
    toolDirs: [dirname(process.execPath)],
    env: {},
    ownsMachine: false,
    ...options.boot,
  };
  const bootPath = join(directory, 'boot.json');
  await writeFile(bootPath, JSON.stringify(boot), { mode: 0o600 });
  const [file, ...args] = options.executable === undefined ? [process.execPath, program] : [options.executable];
  const child = spawn(file, [...args, bootPath], {
    detached: true,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exited = new Promise<number | null>((resolve_) => child.on('exit', (code) => resolve_(code)));
  const kill = (signal: NodeJS.Signals) => void child.kill(signal);
  onTestFinished(async () => {
    kill('SIGTERM');
    const timer = setTimeout(() => kill('SIGKILL'), 5000);
    await exited;
    clearTimeout(timer);
    await rm(directory, { recursive: true, force: true });
  });
  return { pid: child.pid ?? 0, boot, bootPath, exited, stderr: () => stderr, kill };
}

/** What the provider starts for a runner that was killed: sends what that had not sent. Answers its exit code. */
export async function deliverLeftLog({ boot }: RunnerProcess): Promise<number | null> {
  const child = spawn(process.execPath, [program, 'deliver', boot.stateDir], { stdio: 'inherit' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return new Promise((resolve_) => child.on('exit', (code) => resolve_(code)));
}

/** How many lines lie in the runner's spool, whole. */
export async function spooledLines(stateDir: string): Promise<number> {
  let lines = 0;
  for (const path of await listSegments(join(stateDir, 'log'))) {
    const file = await open(path, 'r').catch(() => undefined);
    if (file === undefined) continue;
    for await (const batch of readFrames(file)) lines += batch.lines;
    await file.close();
  }
  return lines;
}

/** A broker with this assignment and a runner that works for it. */
export async function startJob(
  assignment: Partial<Assignment>,
  boot: Partial<Boot> = {},
): Promise<{ broker: FakeBroker; runner: RunnerProcess }> {
  const broker = await startFakeBroker(assignmentOf(assignment));
  onTestFinished(broker.goAway);
  const runner = await startRunner(broker.url(), { boot });
  return { broker, runner };
}

/** The same, seen to its end. */
export async function runJob(
  assignment: Partial<Assignment>,
  boot: Partial<Boot> = {},
): Promise<{ broker: FakeBroker; runner: RunnerProcess; report: Report }> {
  const { broker, runner } = await startJob(assignment, boot);
  const report = await reportOf(broker, runner);
  return { broker, runner, report };
}

export async function reportOf(broker: FakeBroker, runner: RunnerProcess, timeoutMs = 30_000): Promise<Report> {
  const report = await waitFor(`the report; the runner said: ${runner.stderr()}`, () => broker.reports[0], timeoutMs);
  await runner.exited;
  return report;
}

/** Whether the first process of the job still runs, as the provider would ask. */
export function isAlive(stateDir: string): boolean {
  const { pid } = JSON.parse(readFileSync(join(stateDir, 'job.json'), 'utf8')) as { pid: number };
  return isRunning(pid);
}

/** A zombie has ended. */
export function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}/stat`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

export function residentBytes(pid: number): number {
  if (!existsSync(`/proc/${pid}/status`)) return 0;
  const found = /^VmRSS:\s+([0-9]+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? 0) * 1024;
}
