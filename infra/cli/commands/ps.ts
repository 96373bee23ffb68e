import { answer, firstOf, type List } from '../api.ts';
import type { JobState, JobSummary, Task } from '../generated/api.ts';
import { note, printJson } from '../screen.ts';
import { connect, jobIdOf, type Flags, type Session } from '../session.ts';
import { standing, stateCell } from '../standing.ts';
import { table, type Cell } from '../table.ts';
import { amount, costOf, when } from '../words.ts';

export type PsFlags = Flags & { state?: JobState; name?: string; array?: string; limit: number };

export async function ps({ state, name, array, limit, ...flags }: PsFlags): Promise<void> {
  const session = await connect(flags);
  const inState = state === undefined ? {} : { state };
  if (array !== undefined) return showTasks(await tasksOf(session, { array, limit, ...inState }), limit, flags);
  const { api, named } = session;
  const filter = { ...named, ...inState, ...(name === undefined ? {} : { name }) };
  if (flags.json === true)
    return printJson(
      await firstOf(limit, (page) => answer(api.GET('/v1/jobs', { params: { query: { ...filter, ...page } } }))),
    );
  const list = await firstOf(limit, (page) =>
    answer(api.GET('/v1/jobs/summaries', { params: { query: { ...filter, ...page } } })),
  );
  const isFiltered = state !== undefined || name !== undefined;
  if (list.items.length === 0) return note(isFiltered ? 'No such jobs.' : 'No jobs. Next: weir submit SPEC');
  table(['job', 'name', 'state', '', 'cost', 'submitted'], list.items.map(jobRow));
  if (list.nextCursor !== null) note(`the newest ${limit}; --limit shows more`);
}

function jobRow(job: JobSummary): Cell[] {
  return [job.id, job.name, stateCell(job.state), standing(job), costOf(job), when(job.createdAt)];
}

type Wanted = { array: string; state?: JobState; limit: number };

async function tasksOf(session: Session, { array, limit, ...filter }: Wanted): Promise<List<Task>> {
  const path = { job: await jobIdOf(session, array) };
  return firstOf(limit, (page) =>
    answer(session.api.GET('/v1/jobs/{job}/tasks', { params: { path, query: { ...filter, ...page } } })),
  );
}

function showTasks({ items, nextCursor }: List<Task>, limit: number, { json }: Flags): void {
  if (json === true) return printJson({ items, nextCursor });
  if (items.length === 0) return note('No such tasks.');
  table(
    ['task', 'job', 'state', '', 'cost', 'started'],
    items.map(({ index, job, state, reason, costUsd, startedAt }) => [
      String(index),
      job ?? '',
      stateCell(state),
      reason === 'completed' ? '' : (reason ?? ''),
      amount(costUsd),
      when(startedAt),
    ]),
  );
  if (nextCursor !== null) note(`the first ${limit}; --limit shows more`);
}
