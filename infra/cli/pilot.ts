import { setTimeout as sleep } from 'node:timers/promises';
import { answer, type Answer, type Api } from './api.ts';
import { bar } from './bar.ts';
import { exitCodes } from './failure.ts';
import type { Job, Quote } from './generated/api.ts';
import { createPatience, longPatienceMs, retrying } from './patience.ts';
import { paintError, say } from './screen.ts';
import { doneOf, stateStyle } from './standing.ts';
import { createProgressLog } from './status-line.ts';

const pollMs = 1_000;
const barColumns = 24;

/** Waits until the quote's pilot has ended, and says on stderr how far it is where that has changed. Answers the quote as it then is. */
export async function followPilot(api: Api, { id }: Quote): Promise<Quote> {
  const line = createProgressLog();
  const leave = () => {
    line.clear();
    say(`\nThe pilot goes on, and the quote ${id} will have what it measures: weir quote ${id} shows it.`);
    process.exit(exitCodes.interrupted);
  };
  process.once('SIGINT', leave);
  try {
    for (; ; await sleep(pollMs)) {
      const quote = await waitingFor(() => api.GET('/v1/quotes/{quote}', { params: { path: { quote: id } } }));
      const { pilot } = quote;
      if (pilot === undefined) return quote;
      if (pilot.state !== 'running') {
        line.clear();
        say(pilot.message);
        return quote;
      }
      line.set(pilot.job === null ? pilot.message : tell(await jobOf(api, pilot.job)));
    }
  } finally {
    line.clear();
    process.off('SIGINT', leave);
  }
}

function jobOf(api: Api, id: string): Promise<Job> {
  return waitingFor(() => api.GET('/v1/jobs/{job}', { params: { path: { job: id } } }));
}

function waitingFor<T>(call: () => Promise<Answer<T>>): Promise<NonNullable<T>> {
  return retrying(() => answer(call()), createPatience(longPatienceMs));
}

function tell({ id, state, progress }: Job): string {
  const { done, total, unit } = progress ?? { done: null, total: null, unit: null };
  const share = progress === undefined ? undefined : doneOf(progress);
  const drawn =
    share === undefined || process.stderr.isTTY !== true ? '' : `  ${paintError('cyan', bar(share, barColumns))}`;
  const far =
    typeof done !== 'number' ? '' : `, at ${done}${typeof total === 'number' ? ` of ${total}` : ''} ${unit ?? ''}`;
  return `Pilot ${id}: ${paintError(stateStyle(state), state)}${drawn}${far.trimEnd()}`;
}
