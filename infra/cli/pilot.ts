import { setTimeout as sleep } from 'node:timers/promises';
import { answer, type Api } from './api.ts';
import { exitCodes } from './failure.ts';
import type { Job, Quote } from './generated/api.ts';

const pollMs = 1_000;

/** Waits until the quote's pilot has ended, and says on stderr how far it is where that has changed. Answers the quote as it then is. */
export async function followPilot(api: Api, { id }: Quote): Promise<Quote> {
  const leave = () => {
    say(`\nThe pilot goes on, and the quote ${id} will have what it measures.`);
    process.exit(exitCodes.interrupted);
  };
  process.once('SIGINT', leave);
  try {
    for (let said = ''; ; await sleep(pollMs)) {
      const quote = await answer(api.GET('/v1/quotes/{quote}', { params: { path: { quote: id } } }));
      const { pilot } = quote;
      if (pilot === undefined) return quote;
      if (pilot.state !== 'running') {
        say(pilot.message);
        return quote;
      }
      const line = pilot.job === null ? pilot.message : tell(await jobOf(api, pilot.job));
      if (line !== said) say((said = line));
    }
  } finally {
    process.off('SIGINT', leave);
  }
}

function jobOf(api: Api, id: string): Promise<Job> {
  return answer(api.GET('/v1/jobs/{job}', { params: { path: { job: id } } }));
}

function tell({ id, state, progress }: Job): string {
  const { done, total, unit } = progress ?? { done: null, total: null, unit: null };
  const far =
    typeof done !== 'number' ? '' : `, at ${done}${typeof total === 'number' ? ` of ${total}` : ''} ${unit ?? ''}`;
  return `Pilot ${id}: ${state}${far.trimEnd()}`;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
