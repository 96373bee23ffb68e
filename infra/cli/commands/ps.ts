import { answer, firstOf } from '../api.ts';
import type { JobState } from '../generated/api.ts';
import { note, printJson, table } from '../screen.ts';
import { connect, jobIdOf, type Flags } from '../session.ts';
import { costOf, standing, when } from '../words.ts';

export type PsFlags = Flags & { state?: JobState; name?: string; array?: string; limit: number };

export async function ps({ state, name, array, limit, ...flags }: PsFlags): Promise<void> {
  const session = await connect(flags);
  const { api, named } = session;
  const filter = {
    ...named,
    ...(state === undefined ? {} : { state }),
    ...(name === undefined ? {} : { name }),
    ...(array === undefined ? {} : { array: await jobIdOf(session, array) }),
  };
  const list = await firstOf(limit, (page) =>
    answer(api.GET('/v1/jobs', { params: { query: { ...filter, ...page } } })),
  );
  if (flags.json === true) return printJson(list);
  if (list.items.length === 0) return note('No jobs. Next: weir submit JOB.yaml');
  table(
    ['job', 'name', 'state', '', 'cost', 'submitted'],
    list.items.map((job) => [job.id, job.name, job.state, standing(job), costOf(job), when(job.createdAt)]),
  );
  if (list.nextCursor !== null) note(`the newest ${limit}; --limit shows more`);
}
