import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

export type RunnerFile = { path: string; sha256: string; sizeBytes: number };

/** The runner as machines of a cloud fetch it: built by the first test that asks, and after a change. */
export async function runnerExecutable(): Promise<RunnerFile> {
  const program = join(import.meta.dirname, '../../infra/runner/build.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  const [path = '', record = ''] = stdout.trim().split(/ (.*)/s);
  return { path, ...(JSON.parse(record) as Omit<RunnerFile, 'path'>) };
}
