import { answer } from '../api.ts';
import type { Blocker, Job } from '../generated/api.ts';
import { isTerminal, note, paint, plain, print, printJson } from '../screen.ts';
import { connect, jobIdOf, type Flags } from '../session.ts';
import { stateStyle } from '../standing.ts';
import { fields, table } from '../table.ts';
import { when } from '../words.ts';

/** What a waiting job waits for, and what would let it start; of another, why it is in its state. */
export async function why(given: string, flags: Flags): Promise<void> {
  const session = await connect(flags);
  const path = { job: await jobIdOf(session, given) };
  const job = await answer(session.api.GET('/v1/jobs/{job}', { params: { path } }));
  const { id, state, reason, message, waiting } = job;
  if (flags.json === true) return printJson({ id, state, reason, message, waiting: waiting ?? null });
  const shown = { text: reason === null ? state : `${state} (${reason})`, style: stateStyle(state) };
  fields([['state', shown], ['', message ?? undefined], ...placeOf(job)]);
  if (waiting === undefined) return note(`it does not wait; next: weir show ${id}`);
  if (isTerminal) waiting.blockers.forEach(showBlocker);
  else
    table(
      [],
      waiting.blockers.map(({ code, message, unblocks }) => [code, message, unblocks]),
    );
  if (waiting.blockers.length === 0) note('nothing is in its way; it starts at the next look at the queue');
}

function placeOf({ waiting }: Job): [string, string | undefined][] {
  if (waiting === undefined) return [];
  const { position, eta } = waiting;
  return [
    ['place in the queue', position === null ? undefined : String(position)],
    [
      'expected start',
      eta.p50 === null
        ? 'not known yet'
        : `${when(eta.p50)}${eta.p90 === null ? '' : `, at the latest ${when(eta.p90)} (p90)`}`,
    ],
  ];
}

/** In whole sentences, which no column has room for. */
function showBlocker({ code, message, unblocks }: Blocker): void {
  print(`\n${paint('yellow', code)}  ${plain(message)}`);
  print(`${paint('dim', 'starts when')}  ${plain(unblocks)}`);
}
