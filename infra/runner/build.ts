import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';

/**
 * `npm run runner:build`: the runner as one executable that needs nothing but libc and libstdc++, which machines in a cloud
 * fetch when they boot. Built anew only where the runner or Node changed.
 */
const repository = join(import.meta.dirname, '../..');
const directory = join(repository, 'dist/runner');
const executable = join(directory, 'weir-runner');
const record = join(directory, 'weir-runner.json');

/** What Node looks for, to know that there is a program inside: https://nodejs.org/api/single-executable-applications.html */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

const run = promisify(execFile);

// It comes without types.
const { inject } = createRequire(import.meta.url)('postject') as {
  inject: (file: string, resource: string, bytes: Buffer, options: { sentinelFuse: string }) => Promise<void>;
};

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

async function assemble(program: string, workDir: string): Promise<string> {
  const [main, blob, made] = ['main.cjs', 'main.blob', 'weir-runner'].map((name) => join(workDir, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(main, program);
  const config = join(workDir, 'sea.json');
  await writeFile(config, JSON.stringify({ main, output: blob, disableExperimentalSEAWarning: true }));
  await run(process.execPath, ['--experimental-sea-config', config]);
  await copyFile(process.execPath, made);
  await chmod(made, 0o755);
  // Before the injection, which it would undo. Without binutils the executable is a sixth larger.
  await run('strip', [made]).catch(() => undefined);
  await inject(made, 'NODE_SEA_BLOB', await readFile(blob), { sentinelFuse: fuse });
  return made;
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
      const made = await assemble(program, workDir);
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
