import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { assembleExecutable } from '../executable/assemble.ts';

/** `npm run cli:executable`: the command as one file, for machines without Node. Prints where it is. */
const directory = join(import.meta.dirname, 'dist');
const executable = join(directory, `weir-${process.platform}-${process.arch}`);

await mkdir(directory, { recursive: true });
const workDir = await mkdtemp(join(directory, 'build-'));
try {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'weir.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    minify: true,
    legalComments: 'inline',
  });
  await rename(
    await assembleExecutable(outputFiles[0]?.text ?? '', { directory: workDir, useCodeCache: true }),
    executable,
  );
} finally {
  await rm(workDir, { recursive: true, force: true });
}
process.stdout.write(`${executable}\n`);
