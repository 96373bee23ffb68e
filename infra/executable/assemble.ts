import { execFile } from 'node:child_process';
import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What Node looks for, to know that there is a program inside: https://nodejs.org/api/single-executable-applications.html */
const sentinelFuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

const run = promisify(execFile);

const injector = createRequire(import.meta.url).resolve('postject/dist/cli.js');

/**
 * Puts a program, bundled as one CommonJS text, into a copy of the Node that runs this, and answers the executable's path in the
 * directory. It needs nothing but libc and libstdc++. With a code cache it starts sooner, but is not the same from build to build.
 */
export async function assembleExecutable(
  program: string,
  { directory, useCodeCache }: { directory: string; useCodeCache: boolean },
): Promise<string> {
  const pathOf = (name: string) => join(directory, name);
  const [main, blob, made, config] = [pathOf('main.cjs'), pathOf('main.blob'), pathOf('made'), pathOf('sea.json')];
  await writeFile(main, program);
  const options = { main, output: blob, disableExperimentalSEAWarning: true, useCodeCache };
  await writeFile(config, JSON.stringify(options));
  await run(process.execPath, ['--experimental-sea-config', config]);
  await copyFile(process.execPath, made);
  await chmod(made, 0o755);
  // Before the injection, which it would undo. Without binutils the executable is a sixth larger.
  await run('strip', [made]).catch(() => undefined);
  // As a process of its own, whose warnings of sections without names are nobody's.
  await run(process.execPath, [injector, made, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', sentinelFuse]);
  return made;
}
