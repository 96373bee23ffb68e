import { existsSync } from 'node:fs';
import { join } from 'node:path';

const directories = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/local/sbin'];

/** The host's own program of this name. A job's PATH is never searched for it: the job may have put its own there. */
export function systemProgram(name: string): string | undefined {
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
}
