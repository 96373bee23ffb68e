import { answer, make } from '../api.ts';
import { submissionOf } from '../command-line.ts';
import type { NewQuote, Quote } from '../generated/api.ts';
import { followPilot } from '../pilot.ts';
import { showQuote } from '../quote-view.ts';
import { note, printJson } from '../screen.ts';
import { connect, withJobIds, type Flags, type Session } from '../session.ts';
import { specWith, withSource, type SourceFlags } from '../source.ts';
import { readSpec, type SpecFile } from '../spec-file.ts';
import type { GivenSpecFlags, SpecSource } from '../spec-flags.ts';

export type QuoteFlags = GivenSpecFlags & Flags & SourceFlags & { all?: boolean; pilot?: boolean };

const optionsShown = 10;

export async function quote(given: SpecSource, flags: QuoteFlags): Promise<void> {
  const session = await connect(flags);
  const isKept = given.path?.startsWith('qte_') === true;
  const quoted = isKept ? await quoteById(session, given.path ?? '') : await makeQuote(session, given, flags);
  if (flags.json === true) return printJson(quoted);
  showQuote(quoted, flags.all === true ? Infinity : optionsShown);
  note(`next: ${isKept ? `weir submit SPEC --quote ${quoted.id}` : submissionOf(process.argv.slice(2), quoted.id)}`);
}

export function quoteById({ api }: Session, id: string): Promise<Quote> {
  return answer(api.GET('/v1/quotes/{quote}', { params: { path: { quote: id } } }));
}

/** A pilot runs the job's own code, which is sent before. Else nothing is sent: a source has no price. */
async function makeQuote(session: Session, given: SpecSource, flags: QuoteFlags): Promise<Quote> {
  const file = await readSpec(given, await withJobIds(session, flags));
  if (flags.pilot !== true) return postQuote(session, file, specWith(file.value, undefined, flags));
  const asked = { session, spec: file.value, path: given.path, flags };
  const started = await withSource(asked, async (source) => {
    await source?.send();
    return postQuote(session, file, { ...specWith<NewQuote>(file.value, source, flags), pilot: true });
  });
  return followPilot(session.api, started);
}

export function postQuote({ api, named }: Session, file: SpecFile, body: NewQuote): Promise<Quote> {
  return file.placing(() => make((header) => api.POST('/v1/quotes', { params: { query: named, header }, body })));
}
