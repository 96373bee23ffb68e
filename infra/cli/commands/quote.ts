import { answer } from '../api.ts';
import type { NewQuote } from '../generated/api.ts';
import { followPilot } from '../pilot.ts';
import { showQuote } from '../quote-view.ts';
import { note, printJson } from '../screen.ts';
import { connect, type Flags } from '../session.ts';
import { readSpecFile } from '../spec-file.ts';

export async function quote(path: string, flags: Flags & { all?: boolean; pilot?: boolean }): Promise<void> {
  const session = await connect(flags);
  const file = await readSpecFile(path);
  const { api, named } = session;
  const spec = file.value as NewQuote;
  const body = flags.pilot === true ? { ...spec, pilot: true } : spec;
  const asked = await file.placing(() => answer(api.POST('/v1/quotes', { params: { query: named }, body })));
  const quoted = asked.pilot?.state === 'running' ? await followPilot(api, asked) : asked;
  if (flags.json === true) return printJson(quoted);
  showQuote(quoted, flags.all === true ? Infinity : 10);
  note(`next: weir submit ${path}`);
}
