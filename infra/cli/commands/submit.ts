import { confirm, isAttended } from '../ask.ts';
import { make } from '../api.ts';
import { sameWith } from '../command-line.ts';
import { exitCodes, usageFailure } from '../failure.ts';
import type { Job, NewJob, NewQuote, Quote } from '../generated/api.ts';
import { showQuote } from '../quote-view.ts';
import { isTerminal, note, onStderr, print, printJson } from '../screen.ts';
import { connect, withJobIds, type Flags, type Session } from '../session.ts';
import { specWith, withSource, type Source, type SourceFlags } from '../source.ts';
import { readSpec, type SpecFile } from '../spec-file.ts';
import type { GivenSpecFlags, SpecSource } from '../spec-flags.ts';
import { watch } from '../watch.ts';
import { postQuote, quoteById } from './quote.ts';

export type SubmitFlags = GivenSpecFlags & Flags & SourceFlags & { yes?: boolean; wait?: boolean; quote?: string };

const optionsShown = 5;

/** Quotes, asks, sends the source and submits. Nothing is packed before the spec has been found to be one, nothing sent before the yes. */
export async function submit(given: SpecSource, flags: SubmitFlags): Promise<number> {
  const session = await connect(flags);
  const file = await readSpec(given, await withJobIds(session, flags));
  const quote = await quoteFor(session, file, flags);
  if (flags.yes !== true && (!isAttended || given.path === '-'))
    throw usageFailure(
      'Submitting asks first, and here is nobody to answer.',
      sameWith(process.argv.slice(2), '--yes'),
    );
  const job = await withSource({ session, spec: file.value, path: given.path, flags }, (source) =>
    submitSpec({ session, file, quote, source, flags }),
  );
  return job === undefined ? exitCodes.failure : afterwards(session, job, flags);
}

type Submission = { session: Session; file: SpecFile; quote: Quote; source: Source | undefined; flags: SubmitFlags };

/** Undefined where the user said no. */
async function submitSpec({ session, file, quote, source, flags }: Submission): Promise<Job | undefined> {
  const show = () => {
    showQuote(quote, optionsShown);
    if (source !== undefined) note(`source  ${source.about}`);
  };
  if (isTerminal && flags.json !== true) show();
  // Nobody says yes to what they have not seen.
  else if (flags.yes !== true) onStderr(show);
  if (flags.yes !== true && !(await confirm('Submit this job?'))) {
    note('nothing was submitted');
    return undefined;
  }
  await source?.send();
  const body = { ...specWith<NewJob>(file.value, source, flags), quoteId: quote.id };
  const { api, named } = session;
  return file.placing(() =>
    make((header) => api.POST('/v1/jobs', { params: { query: named, header }, body }), 'weir ps'),
  );
}

/** The quote that is named, or a new one: without the directory that goes along, which may be added to it. */
function quoteFor(session: Session, file: SpecFile, flags: SubmitFlags): Promise<Quote> {
  const { quoteId, optionId: _chosen, ...spec } = file.value;
  const named = flags.quote ?? quoteId;
  if (named !== undefined) return quoteById(session, named as string);
  return postQuote(session, file, specWith<NewQuote>(spec, undefined, flags));
}

async function afterwards(session: Session, job: Job, { json = false, wait = false }: SubmitFlags): Promise<number> {
  if (wait) return watch(session, job, json);
  if (json) printJson(job);
  else print(isTerminal ? `Submitted ${job.id}` : job.id);
  note(`next: weir logs -f ${job.id}`);
  return exitCodes.ok;
}
