import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Assignment } from '../protocol/runner.ts';
import type { Launch } from './sandbox.ts';
import { systemProgram } from './system-program.ts';
import { Failure } from './verdict.ts';

const run = promisify(execFile);
const answerTimeoutMs = 5000;

/** The container engine's program, when an engine answers. @throws Failure `image-unavailable` that says why there is none. */
export async function requireEngine(image: string): Promise<string> {
  const program = systemProgram('docker') ?? systemProgram('podman');
  if (program === undefined)
    throw new Failure(
      'image-unavailable',
      `The job names the image ${image}, but this machine has no container engine. Leave out \`image\`, or choose a provider with one.`,
    );
  try {
    await run(program, ['version', '--format', '{{.Server.Version}}'], {
      env: engineEnvironment(),
      timeout: answerTimeoutMs,
    });
    return program;
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1) ?? 'it did not answer';
    throw new Failure(
      'image-unavailable',
      `The job names the image ${image}, but this machine's container engine does not answer: ${said}`,
    );
  }
}

/** @throws Failure `image-unavailable` */
export async function pullImage(program: string, image: string, signal: AbortSignal): Promise<void> {
  try {
    await run(program, ['pull', '--quiet', image], { env: engineEnvironment(), signal, maxBuffer: 1024 ** 3 });
  } catch (error) {
    signal.throwIfAborted();
    const said = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1) ?? 'pulling it failed';
    throw new Failure('image-unavailable', `The image ${image} can't be had: ${said}`);
  }
}

export type ContainerPlan = {
  program: string;
  name: string;
  image: string;
  workDir: string;
  /** Where to put the environment for the engine to read: its command line can be read by all. */
  environmentPath: string;
  uid: number | null;
  limits: Assignment['limits'];
  isGang: boolean;
};

export function containerCommand(plan: ContainerPlan, command: string[], env: Record<string, string>): Launch {
  const { limits } = plan;
  const values = Object.entries(env).filter(([name]) => name !== 'PATH');
  // Such a file holds one line for each; the others go by way of the client's own environment, which it must not be led by.
  const inFile = values.filter(([, value]) => !/[\r\n]/.test(value));
  const inherited = values.filter(([name, value]) => /[\r\n]/.test(value) && !/^(LD_|DOCKER_|GO|HOME$)/.test(name));
  writeFileSync(plan.environmentPath, inFile.map(([name, value]) => `${name}=${value}\n`).join(''), { mode: 0o600 });
  const argv = [
    plan.program, 'run', '--rm', '--init', '--name', plan.name,
    '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges',
    '--memory', String(limits.memoryBytes), '--memory-swap', String(limits.memoryBytes), '--cpus', String(limits.cpus),
    '--volume', `${plan.workDir}:${plan.workDir}`, '--workdir', plan.workDir,
    '--env-file', plan.environmentPath, ...inherited.flatMap(([name]) => ['--env', name]),
    ...(plan.isGang ? ['--network', 'host'] : []),
    ...(plan.uid === null ? [] : ['--user', `${plan.uid}:${plan.uid}`]),
    ...(limits.gpus.length === 0 ? [] : ['--gpus', `"device=${limits.gpus.join(',')}"`]),
    '--', plan.image, ...command,
  ]; // prettier-ignore
  return {
    argv,
    env: { ...Object.fromEntries(inherited), ...engineEnvironment() },
    cwd: '/',
    uid: undefined,
    environmentScript: undefined,
  };
}

export async function endContainer(program: string, name: string): Promise<void> {
  await run(program, ['rm', '--force', name], { env: engineEnvironment(), timeout: 30_000 }).catch(() => undefined);
}

function engineEnvironment(): Record<string, string> {
  return { PATH: '/usr/local/bin:/usr/bin:/bin' };
}
