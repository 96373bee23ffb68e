import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Assignment, Boot } from '../protocol/runner.ts';
import { downloadTo, Unavailable, type Download, type Fetching } from './download.ts';
import { createGoogleReader, type GoogleReader } from './google-objects.ts';
import { createFile, giveTo, placeInside } from './inside.ts';
import { createRoom, DiskFull, isDiskFull, type Room } from './room.ts';
import { Failure, machineDiskFull } from './verdict.ts';

/** Fills the working directory: source, files, inputs, the last checkpoint; then gives it to the job's uid. */
export async function prepare(boot: Boot, assignment: Assignment, signal: AbortSignal): Promise<void> {
  try {
    await fill(boot, assignment, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof DiskFull)
      throw new Failure(
        'disk-full',
        'The disk was full before the job could start. Ask for more with resources.diskGiB, or fetch less.',
      );
    throw isDiskFull(error) ? machineDiskFull(boot) : error;
  }
}

async function fill(boot: Boot, assignment: Assignment, signal: AbortSignal): Promise<void> {
  const { workDir, brokerUrl } = boot;
  const fetching = { brokerUrl, room: createRoom(assignment.limits.diskBytes), signal };
  const google = createGoogleReader(boot.env, assignment.secrets);
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  if (assignment.source !== null)
    await unpackSource(boot, `The source ${assignment.spec.source}`, assignment.source, {
      ...fetching,
      refusals: refusalsOf(assignment.spec.source),
    });
  for (const [path, text] of Object.entries(assignment.spec.files ?? {}))
    await orFail('source-unavailable', `The file ${path} of \`files\` can't be written`, signal, () =>
      writeText(workDir, path, text),
    );
  for (const input of assignment.inputs) {
    // The URL may be a signed one, which is nobody's business; the tenant knows the input by its own.
    const uri = assignment.spec.inputs?.find(({ path }) => path === input.path)?.uri ?? input.path;
    const own = { ...fetching, refusals: refusalsOf(uri) };
    if (input.url.startsWith('gs://')) await fetchObjects(boot, `The input ${uri}`, input, { ...own, google });
    else await fetchInput(boot, `The input ${uri}`, input, own);
  }
  for (const file of assignment.checkpoint)
    await fetchInput(boot, `The checkpoint file ${file.path}`, file, { ...fetching, refusals: [...refused, 404, 410] });
  const uid = jobUid(boot);
  if (uid !== null) await giveTo(uid, workDir);
}

/** `refusals`: answers that are the fault of the service's own storage. */
type Ours = Fetching & { refusals: readonly number[] };

class StorageRefused extends Error {}

const refused = [401, 403];

/** An upload or artifact may have been removed meanwhile; a checkpoint is nobody's to remove. */
function refusalsOf(uri = ''): readonly number[] {
  return uri.startsWith('weir://') ? refused : [];
}

async function fetchTo(path: string, download: Download, fetching: Ours): Promise<number> {
  try {
    return await downloadTo(path, download, fetching);
  } catch (error) {
    const status = error instanceof Unavailable ? error.status : undefined;
    if (status === undefined || !fetching.refusals.includes(status)) throw error;
    throw new StorageRefused(`the storage of this service answered HTTP ${status}; its operator has to put that right`);
  }
}

/** The uid that the job has to itself; null where it shares the runner's. */
export function jobUid(boot: Boot): number | null {
  return boot.isolation.kind === 'none' ? null : boot.isolation.uid;
}

async function writeText(workDir: string, relativePath: string, text: string): Promise<void> {
  const file = await createFile(await placeInside(workDir, relativePath));
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}

async function fetchInput({ workDir }: Boot, what: string, input: Download, fetching: Ours): Promise<void> {
  await orFail('input-unavailable', `${what} can't be fetched`, fetching.signal, async () => {
    await fetchTo(await placeInside(workDir, input.path), input, fetching);
  });
}

async function fetchObjects(
  { workDir }: Boot,
  what: string,
  input: Download,
  { google, ...fetching }: Ours & { google: GoogleReader },
): Promise<void> {
  const { headers } = google;
  const reading = headers === undefined ? fetching : { ...fetching, headers };
  await orFail('input-unavailable', `${what} can't be fetched`, fetching.signal, async () => {
    for (const object of await google.list(input, reading))
      await downloadTo(await placeInside(workDir, object.path), object, reading);
  });
}

async function unpackSource(boot: Boot, what: string, source: Download, fetching: Ours): Promise<void> {
  const { signal, room } = fetching;
  const archive = join(boot.stateDir, 'source.tar');
  let archiveBytes = 0;
  try {
    await orFail('source-unavailable', `${what} can't be fetched`, signal, async () => {
      archiveBytes = await fetchTo(archive, source, fetching);
    });
    const rule = 'it must be a tar or tar.gz archive of files and folders';
    await orFail('source-unavailable', `${what} can't be unpacked, ${rule}`, signal, () =>
      unpack(archive, boot.workDir, room),
    );
  } finally {
    await rm(archive, { force: true });
    room.giveBack(archiveBytes);
  }
}

async function unpack(file: string, cwd: string, room: Room): Promise<void> {
  const tar = await import('tar');
  // A small archive may hold much: once there is no room for an entry, no further one is written.
  let isFull = false;
  const hasRoom = (sizeBytes: number): boolean => {
    isFull ||= !room.take(sizeBytes);
    return !isFull;
  };
  // Strict: paths that leave the directory, and devices, are errors instead of being left out.
  await tar.extract({ file, cwd, strict: true, preserveOwner: false, filter: (_path, { size }) => hasRoom(size) });
  if (isFull) throw new DiskFull();
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
    throw new Failure(
      error instanceof StorageRefused ? 'storage-refused' : reason,
      `${what}: ${(error as Error).message}.`,
    );
  }
}
