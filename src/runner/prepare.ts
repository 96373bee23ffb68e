import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Assignment, Boot } from '../protocol/runner.ts';
import { downloadTo, type Download } from './download.ts';
import { createFile, giveTo, placeInside } from './inside.ts';
import { Failure } from './verdict.ts';

/** Fills the working directory: source, files, inputs, the last checkpoint; then gives it to the job's uid. */
export async function prepare(boot: Boot, assignment: Assignment, signal: AbortSignal): Promise<void> {
  try {
    await fill(boot, assignment, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (isDiskFull(error))
      throw new Failure(
        'disk-full',
        'The disk was full before the job could start. Ask for more with resources.diskGiB, or fetch less.',
      );
    throw error;
  }
}

async function fill(boot: Boot, assignment: Assignment, signal: AbortSignal): Promise<void> {
  const { workDir } = boot;
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  if (assignment.source !== null) await unpackSource(boot, assignment, assignment.source, signal);
  for (const [path, text] of Object.entries(assignment.spec.files ?? {})) await writeText(workDir, path, text);
  for (const input of assignment.inputs) {
    // The URL may be a signed one, which is nobody's business; the tenant knows the input by its own.
    const uri = assignment.spec.inputs?.find(({ path }) => path === input.path)?.uri ?? input.path;
    await fetchInput(boot, input, `The input ${uri}`, signal);
  }
  for (const file of assignment.checkpoint) await fetchInput(boot, file, `The checkpoint file ${file.path}`, signal);
  const uid = jobUid(boot);
  if (uid !== null) await giveTo(uid, workDir);
}

/** The uid that the job has to itself; null where it shares the runner's. */
export function jobUid(boot: Boot): number | null {
  return boot.isolation.kind === 'none' ? null : boot.isolation.uid;
}

async function writeText(workDir: string, relativePath: string, text: string): Promise<void> {
  const path = await placeInside(workDir, relativePath).catch((error: Error) => {
    throw new Failure(
      'source-unavailable',
      `The file ${relativePath} of \`files\` can't be written: ${error.message}.`,
    );
  });
  const file = await createFile(path);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}

async function fetchInput(boot: Boot, input: Download, what: string, signal: AbortSignal): Promise<void> {
  await orFail('input-unavailable', `${what} can't be fetched`, signal, async () =>
    downloadTo(await placeInside(boot.workDir, input.path), input, boot.brokerUrl, signal),
  );
}

async function unpackSource(boot: Boot, { spec }: Assignment, source: Download, signal: AbortSignal): Promise<void> {
  const archive = join(boot.stateDir, 'source.tar');
  const what = `The source ${spec.source}`;
  try {
    await orFail('source-unavailable', `${what} can't be fetched`, signal, () =>
      downloadTo(archive, source, boot.brokerUrl, signal),
    );
    const rule = 'it must be a tar or tar.gz archive of files and folders';
    await orFail('source-unavailable', `${what} can't be unpacked, ${rule}`, signal, () =>
      unpack(archive, boot.workDir),
    );
  } finally {
    await rm(archive, { force: true });
  }
}

async function unpack(file: string, cwd: string): Promise<void> {
  const tar = await import('tar');
  // Strict: paths that leave the directory, and devices, are errors instead of being left out.
  await tar.extract({ file, cwd, strict: true, preserveOwner: false });
}

/** What goes wrong is the job's end, with what was tried in its message; but a full disk is told as such. */
async function orFail(
  reason: Failure['reason'],
  what: string,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    signal.throwIfAborted();
    if (isDiskFull(error)) throw error;
    throw new Failure(reason, `${what}: ${(error as Error).message}.`);
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'ENOSPC';
}
