import { answer } from '../api.ts';
import { print, printJson } from '../screen.ts';
import { connect, jobIdOf, type Flags } from '../session.ts';

export async function cancel(given: string, flags: Flags): Promise<void> {
  const session = await connect(flags);
  const path = { job: await jobIdOf(session, given) };
  const job = await answer(session.api.POST('/v1/jobs/{job}/cancel', { params: { path } }));
  if (flags.json === true) return printJson(job);
  print(`${job.id} is ${job.state}${job.message === null ? '' : `: ${job.message}`}`);
}
