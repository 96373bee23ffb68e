import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { confirm, isAttended } from '../ask.ts';
import { answer } from '../api.ts';
import { exitCodes, usageFailure } from '../failure.ts';
import type { Job, JobSpec, NewJob, Quote } from '../generated/api.ts';
import { listSource, pack } from '../pack.ts';
import { showQuote } from '../quote-view.ts';
import { isTerminal, note, print, printJson } from '../screen.ts';
import { announce, type Outgoing } from '../send.ts';
import { connect, type Flags, type Session } from '../session.ts';
import { readSpecFile, type SpecFile } from '../spec-file.ts';
import { watch } from '../watch.ts';
import { size } from '../words.ts';

export type SubmitFlags = Flags & { yes?: boolean; wait?: boolean; source?: string };

const optionsShown = 5;

/** Quotes, asks, sends the source and submits. Before the answer is yes nothing but the quote has been made. */
export async function submit(path: string, flags: SubmitFlags): Promise<number> {
  if (flags.yes !== true && (!isAttended || path === '-'))
    throw usageFailure('Submitting asks first, and here is nobody to answer.', `weir submit ${path} --yes`);
  const session = await connect(flags);
  const file = await readSpecFile(path);
  const job = await withDirectory(flags.source, async (directory) => {
    const source = directory === undefined ? undefined : await packSource(session, file, directory, flags);
    return submitSpec({ session, file, source, flags });
  });
  return job === undefined ? exitCodes.failure : afterwards(session, job, flags);
}

/** A directory for the archive, where there is a source; it is gone before a job is waited for. */
async function withDirectory<T>(
  source: string | undefined,
  use: (directory: string | undefined) => Promise<T>,
): Promise<T> {
  if (source === undefined) return use(undefined);
  const directory = await mkdtemp(join(tmpdir(), 'weir-source-'));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function packSource(
  session: Session,
  { value }: SpecFile,
  directory: string,
  { source = '.' }: SubmitFlags,
): Promise<Outgoing> {
  if ('source' in value) throw usageFailure('The spec names a source already; leave it out, or leave out --source.');
  const archive = join(directory, `${basename(resolve(source))}.tar.gz`);
  const files = await listSource(source);
  await pack(source, files, archive);
  const outgoing = await announce(session, archive);
  note(`${source}: ${files.length} files, ${size(outgoing.sizeBytes)} packed`);
  return outgoing;
}

type Submission = { session: Session; file: SpecFile; source: Outgoing | undefined; flags: SubmitFlags };

/** Undefined where the user said no. */
async function submitSpec({ session: { api, named }, file, source, flags }: Submission): Promise<Job | undefined> {
  const { quoteId, ...wanted } = file.value as NewJob;
  const spec = source === undefined ? wanted : { ...wanted, source: source.upload.uri };
  const query = named;
  const { optionId: _chosen, ...quotable } = spec;
  const quote = await file.placing(() => quoteFor({ api, named }, quotable, quoteId));
  if (flags.json !== true && isTerminal) showQuote(quote, optionsShown);
  if (flags.yes !== true && !(await confirm('Submit this job?'))) {
    note('nothing was submitted');
    return undefined;
  }
  await source?.send();
  const header = { 'Idempotency-Key': randomUUID() };
  return file.placing(() =>
    answer(api.POST('/v1/jobs', { params: { query, header }, body: { ...spec, quoteId: quote.id } })),
  );
}

function quoteFor(
  { api, named }: Pick<Session, 'api' | 'named'>,
  body: JobSpec,
  quoteId: string | undefined,
): Promise<Quote> {
  if (quoteId !== undefined) return answer(api.GET('/v1/quotes/{quote}', { params: { path: { quote: quoteId } } }));
  return answer(api.POST('/v1/quotes', { params: { query: named }, body }));
}

async function afterwards(session: Session, job: Job, { json = false, wait = false }: SubmitFlags): Promise<number> {
  if (wait) return watch(session, job, json);
  if (json) printJson(job);
  else print(isTerminal ? `Submitted ${job.id}` : job.id);
  note(`next: weir logs -f ${job.id}`);
  return exitCodes.ok;
}
