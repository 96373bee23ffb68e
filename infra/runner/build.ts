import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { assembleExecutable } from '../executable/assemble.ts';

/**
 * `npm run runner:build`: the runner as one executable that needs nothing but libc and libstdc++, which machines in a cloud
 * fetch when they boot. Built anew only where the runner or Node changed.
 */
const repository = join(import.meta.dirname, '../..');
const directory = join(repository, 'dist/runner');
const executable = join(directory, 'weir-runner');
const record = join(directory, 'weir-runner.json');

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(repository, 'src/runner/main.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: `node${process.versions.node}`,
    minifySyntax: true,
    legalComments: 'inline',
  });
  return outputFiles[0]?.text ?? '';
}

/** Changes with whatever the executable is made of. */
function fingerprintOf(program: string): string {
  return createHash('sha256').update(`${process.version} ${process.arch} ${program}`).digest('hex');
}

async function isBuilt(fingerprint: string): Promise<boolean> {
  try {
    const known = JSON.parse(await readFile(record, 'utf8')) as { fingerprint: string; sha256: string };
    return known.fingerprint === fingerprint && known.sha256 === sha256(await readFile(executable));
  } catch {
    return false;
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function main(): Promise<void> {
  const program = await bundle();
  const fingerprint = fingerprintOf(program);
  if (!(await isBuilt(fingerprint))) {
    await mkdir(directory, { recursive: true });
    const workDir = await mkdtemp(join(directory, 'build-'));
    try {
      const made = await assembleExecutable(program, { directory: workDir, useCodeCache: false });
      const bytes = await readFile(made);
      await rename(made, executable);
      await writeFile(record, JSON.stringify({ fingerprint, sha256: sha256(bytes), sizeBytes: bytes.length }));
    } finally {
      await rm(workDir, { recursive: true, force: true });
    }
  }
  process.stdout.write(`${executable} ${await readFile(record, 'utf8')}\n`);
}

await main();
