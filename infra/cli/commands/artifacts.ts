import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { answer, failureOfResponse, firstOf, type List } from '../api.ts';
import { Failure } from '../failure.ts';
import type { Artifact } from '../generated/api.ts';
import { isTerminal, note, print, printJson, table } from '../screen.ts';
import { connect, jobIdOf, type Flags, type Session } from '../session.ts';
import { fetchSigned } from '../signed-url.ts';
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
  if (chosen.length === 0 || missing.length > 0)
    throw new Failure(`${job} has kept no ${missing.join(', no ') || 'files'}.`, { next: `weir artifacts ls ${job}` });
  const written: string[] = [];
  for (const artifact of chosen) {
    written.push(await fetchArtifact(session, job, artifact, flags.output));
    if (flags.json !== true) print(written.at(-1));
  }
  if (flags.json === true)
    printJson({ items: chosen.map((artifact, index) => ({ ...artifact, file: written[index] })) });
}

function artifactsOf({ api }: Session, job: string): Promise<List<Artifact>> {
  return firstOf(Infinity, (query) =>
    answer(api.GET('/v1/jobs/{job}/artifacts', { params: { path: { job }, query } })),
  );
}

function isWithin(path: string, name: string): boolean {
  return path === name || path.startsWith(`${name.replace(/\/+$/, '')}/`);
}

/** The file has its name once all its bytes are there and are the right ones. */
async function fetchArtifact(
  session: Session,
  job: string,
  { path, sha256 }: Artifact,
  output: string,
): Promise<string> {
  const file = join(output, path);
  if (!resolve(file).startsWith(resolve(output) + sep)) throw new Failure(`${path} would lie outside ${output}.`);
  const bytes = await openArtifact(session, job, path);
  await mkdir(dirname(file), { recursive: true });
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const partial = `${file}.part`;
  try {
    await pipeline(bytes, hashing, createWriteStream(partial));
    if (hash.digest('hex') !== sha256)
      throw new Failure(`${path} did not arrive as it was kept: its checksum differs.`, {
        next: 'run the command again',
      });
    await rename(partial, file);
  } finally {
    await rm(partial, { force: true });
  }
  return file;
}

async function openArtifact({ api }: Session, job: string, path: string): Promise<Readable> {
  const asked = await api.GET('/v1/jobs/{job}/artifacts/{path}', {
    params: { path: { job, path } },
    redirect: 'manual',
  });
  const location = asked.response.headers.get('location');
  if (location === null) throw failureOfResponse(asked.error, asked.response);
  const { body } = await fetchSigned(location, path);
  return body === null ? Readable.from([]) : Readable.from(body);
}
