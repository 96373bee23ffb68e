import { answer, firstOf } from '../api.ts';
import type { Job, JobState } from '../generated/api.ts';
import { note, printJson } from '../screen.ts';
import { connect, jobIdOf, type Flags } from '../session.ts';
import { standing, stateCell } from '../standing.ts';
import { table, type Cell } from '../table.ts';
import { costOf, when } from '../words.ts';

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
  if (list.items.length === 0) return note(isFiltered(filter) ? 'No such jobs.' : 'No jobs. Next: weir submit SPEC');
  table(jobHead, list.items.map(jobRow));
  if (list.nextCursor !== null) note(`the newest ${limit}; --limit shows more`);
}

function isFiltered(filter: object): boolean {
  return Object.keys(filter).some((key) => key !== 'tenant');
}

const jobHead = ['job', 'name', 'state', '', 'cost', 'submitted'];

function jobRow(job: Job): Cell[] {
  return [job.id, job.name, stateCell(job.state), standing(job), costOf(job), when(job.createdAt)];
}
