import { join, resolve, sep } from 'node:path';
import { answer, failureOfResponse, firstOf, type List } from '../api.ts';
import { download } from '../download.ts';
import { Failure } from '../failure.ts';
import type { Artifact } from '../generated/api.ts';
import { cachePath, showFile } from '../open-file.ts';
import { isTerminal, note, print, printJson } from '../screen.ts';
import { connect, jobIdOf, type Flags, type Session } from '../session.ts';
import { fetchSigned } from '../signed-url.ts';
import { table } from '../table.ts';
import { createTransfer } from '../transfer.ts';
import { size, when } from '../words.ts';

export async function listArtifacts(given: string, flags: Flags): Promise<void> {
  const session = await connect(flags);
  const job = await jobIdOf(session, given);
  const list = await artifactsOf(session, job);
  if (flags.json === true) return printJson(list);
  if (list.items.length === 0) return note('This job has kept nothing: its spec names what to keep as outputs.');
  table(
    ['path', 'size', 'attempt', 'made', 'sha256'],
    list.items.map(({ path, sizeBytes, attempt, createdAt, sha256 }) => [
      path,
      size(sizeBytes),
      String(attempt),
      when(createdAt),
      isTerminal ? sha256.slice(0, 12) : sha256,
    ]),
  );
  note(`next: weir artifacts get ${job}`);
}

/** Fetches the files named, those under a folder named, or all. */
export async function getArtifacts(given: string, wanted: string[], flags: Flags & { output: string }): Promise<void> {
  const session = await connect(flags);
  const job = await jobIdOf(session, given);
  const { items } = await artifactsOf(session, job);
  const chosen = items.filter(({ path }) => wanted.length === 0 || wanted.some((name) => isWithin(path, name)));
  const missing = wanted.filter((name) => !items.some(({ path }) => isWithin(path, name)));
  if (chosen.length === 0 || missing.length > 0) throw nothingKept(job, missing.join(', no ') || 'files');
  const files = await fetchArtifacts(session, job, chosen, flags.output);
  if (flags.json !== true) return files.forEach((file) => print(file));
  printJson({ items: chosen.map((artifact, index) => ({ ...artifact, file: files[index] })) });
}

/** Fetches one file to where it may be lost, and shows it. */
export async function openArtifact(given: string, path: string, flags: Flags): Promise<void> {
  const session = await connect(flags);
  const job = await jobIdOf(session, given);
  const { items } = await artifactsOf(session, job);
  const artifact = items.find((each) => each.path === path);
  if (artifact === undefined) throw nothingKept(job, path);
  const [file = ''] = await fetchArtifacts(session, job, [artifact], join(cachePath(), job));
  if (flags.json === true) printJson({ ...artifact, file });
  else print(file);
  await showFile(file);
}

function nothingKept(job: string, what: string): Failure {
  return new Failure(`${job} has kept no ${what}.`, { next: `weir artifacts ls ${job}` });
}

function artifactsOf({ api }: Session, job: string): Promise<List<Artifact>> {
  return firstOf(Infinity, (query) =>
    answer(api.GET('/v1/jobs/{job}/artifacts', { params: { path: { job }, query } })),
  );
}

function isWithin(path: string, name: string): boolean {
  return path === name || path.startsWith(`${name.replace(/\/+$/, '')}/`);
}

/** Answers the files, in the order of the artifacts. */
async function fetchArtifacts(
  session: Session,
  job: string,
  artifacts: readonly Artifact[],
  output: string,
): Promise<string[]> {
  const totalBytes = artifacts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const [only] = artifacts;
  const what = artifacts.length === 1 && only !== undefined ? only.path : `${artifacts.length} files`;
  const { advance, end } = createTransfer(what, totalBytes);
  const files: string[] = [];
  try {
    for (const { path, sha256 } of artifacts) {
      const file = join(output, path);
      if (!resolve(file).startsWith(resolve(output) + sep)) throw new Failure(`${path} would lie outside ${output}.`);
      await download(path, { file, sha256, advance, open: (from) => openBytes(session, { job, path }, from) });
      files.push(file);
    }
  } finally {
    end();
  }
  return files;
}

async function openBytes({ api }: Session, path: { job: string; path: string }, from: number): Promise<Response> {
  const asked = await api.GET('/v1/jobs/{job}/artifacts/{path}', { params: { path }, redirect: 'manual' });
  const location = asked.response.headers.get('location');
  if (location === null) throw failureOfResponse(asked.error, asked.response);
  return fetchSigned(location, path.path, from === 0 ? {} : { headers: { range: `bytes=${from}-` } });
}
