import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const run = promisify(execFile);

/** Where Node looks for what was put into it. */
const sentinelFuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/**
 * Makes one file of a program and of the Node that runs this: it needs only libc and libstdc++, and starts on machines of the same
 * system and processor. After https://nodejs.org/api/single-executable-applications.html.
 */
export async function buildExecutable({ entry, output }: { entry: string; output: string }): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-executable-'));
  try {
    const bundle = join(directory, 'program.cjs');
    await build({ entryPoints: [entry], outfile: bundle, bundle: true, platform: 'node', format: 'cjs', minify: true });
    const blob = await prepareBlob(directory, bundle);
    const inject = fileURLToPath(import.meta.resolve('postject/dist/cli.js'));
    await mkdir(dirname(output), { recursive: true });
    await copyFile(process.execPath, output);
    await chmod(output, 0o755);
    await dropSymbols(output);
    await run(process.execPath, [inject, output, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', sentinelFuse]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function prepareBlob(directory: string, bundle: string): Promise<string> {
  const [config, blob] = [join(directory, 'sea.json'), join(directory, 'program.blob')];
  // The code cache saves V8 compiling the program at each start.
  const options = { main: bundle, output: blob, disableExperimentalSEAWarning: true, useCodeCache: true };
  await writeFile(config, JSON.stringify(options));
  await run(process.execPath, ['--experimental-sea-config', config]);
  return blob;
}

/** A tenth smaller where binutils are at hand. It must come before the injection, which it would break. */
async function dropSymbols(path: string): Promise<void> {
  await run('strip', [path]).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
