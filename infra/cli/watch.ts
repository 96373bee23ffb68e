import { answer } from './api.ts';
import { exitCodes } from './failure.ts';
import { followEvents, followLog } from './follow.ts';
import type { Job } from './generated/api.ts';
import { showLine } from './log-view.ts';
import { paintError, printJson } from './screen.ts';
import type { Session } from './session.ts';
import { costOf } from './words.ts';

/** Shows a job's log until its end and answers its exit code: 1 where it has none of its own. */
export async function watch({ api }: Session, { id }: Job, isJson: boolean): Promise<number> {
  say(`Submitted ${id}`);
  const leave = () => {
    say(`\n${id} goes on. weir logs -f ${id} follows it, weir cancel ${id} stops it.`);
    process.exit(exitCodes.interrupted);
  };
  process.once('SIGINT', leave);
  for await (const line of followLog(api, id)) if (!isJson) showLine(line);
  // The log ends with its last line; the job when its machine is gone and its account is closed.
  for await (const _event of followEvents(api, id));
  process.off('SIGINT', leave);
  const job = await answer(api.GET('/v1/jobs/{job}', { params: { path: { job: id } } }));
  if (isJson) printJson(job);
  say(`${paintError('bold', job.state)}: ${job.message ?? job.reason ?? ''} (${costOf(job)})`);
  return exitCodeOf(job);
}

function exitCodeOf({ state, attempts }: Job): number {
  if (state === 'succeeded') return exitCodes.ok;
  const code = attempts.at(-1)?.exitCode ?? 0;
  return code > 0 && code < 256 ? code : exitCodes.failure;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
