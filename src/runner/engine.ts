import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { systemProgram } from './system-program.ts';
import { Failure } from './verdict.ts';

const run = promisify(execFile);
const answerTimeoutMs = 30_000;

/** Of the engine's client. Nothing of a job's: a tenant must not lead it to another engine. */
export const engineEnvironment = { PATH: '/usr/local/bin:/usr/bin:/bin' };

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
      env: engineEnvironment,
      timeout: answerTimeoutMs,
    });
    return program;
  } catch (error) {
    throw new Failure(
      'image-unavailable',
      `The job names the image ${image}, but this machine's container engine does not answer: ${lastError(error)}`,
    );
  }
}

/** @throws Failure `image-unavailable` */
export async function pullImage(program: string, image: string, signal: AbortSignal): Promise<void> {
  try {
    await run(program, ['pull', '--quiet', image], { env: engineEnvironment, signal, maxBuffer: 1024 ** 3 });
  } catch (error) {
    signal.throwIfAborted();
    throw new Failure('image-unavailable', `The image ${image} can't be had: ${lastError(error)}`);
  }
}

function lastError(error: unknown): string {
  return (error as { stderr?: string }).stderr?.trim().split('\n').at(-1) || 'it gave no reason';
}
