import { mkdtemp, readdir, realpath } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join, parse, relative, resolve } from 'node:path';
import { usageFailure } from './failure.ts';
import { listSource, pack } from './pack.ts';
import { removingAfter } from './remove-after.ts';
import { say } from './screen.ts';
import { announce, type Outgoing } from './send.ts';
import type { Session } from './session.ts';
import { createStatusLine } from './status-line.ts';
import { byteText } from './words.ts';

/** `--source DIR`, or false: `--no-source`. */
export type SourceFlags = { source?: string | false };

type Asked = {
  session: Session;
  /** The spec as it was read, and the file it was read from. */
  spec: Record<string, unknown>;
  path: string | undefined;
  flags: SourceFlags;
};

/** An archive of a directory, known to the server and perhaps not sent yet. */
export type Source = Pick<Outgoing, 'send'> & { uri: string; about: string };

/**
 * Packs the directory that goes along as the job's source: that of `--source`, or of the spec's `source`, else the one we are in. The
 * archive is there while `use` runs. Undefined where none goes along: with `--no-source`, where the spec names an upload, where nothing
 * is left in, and where we are in a home directory, which nobody means.
 */
export async function withSource<T>(asked: Asked, use: (source: Source | undefined) => Promise<T>): Promise<T> {
  const named = directoryNamed(asked);
  const directory = named ?? ((await isMeant(asked)) ? process.cwd() : undefined);
  const files = directory === undefined ? [] : await listSource(directory);
  if (named !== undefined && files.length === 0)
    throw usageFailure(`${named} holds no files that .gitignore and .weirignore leave in.`);
  if (directory !== undefined && files.length === 0) await sayNothingGoes(directory);
  if (directory === undefined || files.length === 0) return use(undefined);
  const temporary = await mkdtemp(join(tmpdir(), 'weir-source-'));
  return removingAfter(temporary, async () => use(await archive(asked.session, { directory, files, temporary })));
}

/** The spec as the API takes it: in place of a directory the upload that it has become, or none. */
export function specWith<T>(spec: Record<string, unknown>, source: Source | undefined, flags: SourceFlags): T {
  const { source: written, ...rest } = spec;
  if (source !== undefined) return { ...rest, source: source.uri } as T;
  // What names neither a directory nor an upload is for the server to refuse.
  return (flags.source !== undefined || isDirectory(written) ? rest : spec) as T;
}

function directoryNamed({ spec: { source }, path, flags }: Asked): string | undefined {
  if (flags.source !== undefined) return flags.source === false ? undefined : resolve(flags.source);
  if (!isDirectory(source)) return undefined;
  return resolve(path === undefined || path === '-' ? '.' : dirname(path), source);
}

/** Whether the directory we are in goes along, though nobody has said so. */
async function isMeant({ spec: { source }, flags }: Asked): Promise<boolean> {
  if (flags.source !== undefined || source !== undefined) return false;
  // The directory we are in is known without links, the home directory as HOME names it.
  const [here, home] = await Promise.all([process.cwd(), homedir()].map((path) => realpath(path).catch(() => path)));
  return here !== home && here !== parse(process.cwd()).root;
}

/** An empty directory has nothing to miss. */
async function sayNothingGoes(directory: string): Promise<void> {
  if ((await readdir(directory)).length > 0)
    say('No source goes along: .gitignore and .weirignore leave out all files of this directory.');
}

function isDirectory(source: unknown): source is string {
  return typeof source === 'string' && !/^[a-z]+:\/\//.test(source);
}

type Packed = { directory: string; files: string[]; temporary: string };

async function archive(session: Session, { directory, files, temporary }: Packed): Promise<Source> {
  const line = createStatusLine();
  line.set(`packing ${files.length} files of ${directory}`);
  try {
    const path = join(temporary, `${basename(directory)}.tar.gz`);
    await pack(directory, files, path);
    const { upload, sizeBytes, send } = await announce(session, path);
    const shown = relative(process.cwd(), directory) || 'this directory';
    const there = upload.complete ? ', on the server already' : '';
    return { uri: upload.uri, send, about: `${shown}: ${files.length} files, ${byteText(sizeBytes)} packed${there}` };
  } finally {
    line.clear();
  }
}
