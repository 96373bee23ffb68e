import { spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { Failure } from './failure.ts';

/** Where files lie that can be fetched again. */
export function cachePath(): string {
  const { XDG_CACHE_HOME: home = '' } = process.env;
  // The XDG specification has relative paths ignored.
  return join(isAbsolute(home) ? home : join(homedir(), '.cache'), 'weir');
}

const openers: Partial<Record<NodeJS.Platform, string>> = { darwin: 'open', win32: 'explorer' };

/** Hands a file to the program that this machine shows such files with, which outlives us. */
export function showFile(file: string): Promise<void> {
  const opener = openers[process.platform] ?? 'xdg-open';
  const child = spawn(opener, [file], { detached: true, stdio: 'ignore' });
  return new Promise((resolve, reject) => {
    child.once('error', () =>
      reject(new Failure(`This machine has no ${opener} to show the file with.`, { next: `look at ${file}` })),
    );
    child.once('spawn', () => {
      child.unref();
      resolve();
    });
  });
}
