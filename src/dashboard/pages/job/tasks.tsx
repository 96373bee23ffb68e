import { Select } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Job, Task, TaskCounts } from '../../../../infra/cli/generated/api.ts';
import { api, bodyOf, queries } from '../../api/client.ts';
import { liveMs } from '../../api/connection.ts';
import { readAll } from '../../api/read-all.ts';
import { CsvButton } from '../../parts/csv-button.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { count, usd } from '../../parts/format.ts';
import { isEnded, Took } from '../../parts/job-facts.tsx';
import { Moment } from '../../parts/moment.tsx';
import { Pager, type Trail } from '../../parts/pager.tsx';
import { Section } from '../../parts/section.tsx';
import { Answered, Empty } from '../../parts/states.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';

const perPage = 50;
const states = ['queued', 'provisioning', 'running', 'stopping', 'succeeded', 'failed', 'cancelled'] as const;
type State = (typeof states)[number];

const columns: Column<Task>[] = [
  {
    name: 'Task',
    isHeader: true,
    show: ({ index, job }) => (job === null ? `task ${index}` : <Link href={`/jobs/${job}`}>{`task ${index}`}</Link>),
    value: ({ index }) => index,
  },
  { name: 'State', show: ({ state }) => <StateBadge state={state} />, value: ({ state }) => state },
  { name: 'Values', show: ({ values }) => valuesOf(values), value: ({ values }) => valuesOf(values) },
  {
    name: 'Why',
    width: '30%',
    show: ({ message, reason }) => message ?? reason ?? '–',
    value: ({ message, reason }) => message ?? reason,
  },
  { name: 'Took', isNumber: true, show: (task) => <Took job={task} /> },
  { name: 'Ended', show: ({ finishedAt }) => <Moment at={finishedAt} />, value: ({ finishedAt }) => finishedAt },
  { name: 'Cost', isNumber: true, show: ({ costUsd }) => usd(costUsd), value: ({ costUsd }) => costUsd },
];

const csvColumns: Column<Task>[] = [...columns, { name: 'Job', show: ({ job }) => job, value: ({ job }) => job }];

function valuesOf(values: Task['values']): string {
  if (values === null) return '–';
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}

/** The tasks of an array, a page at a time: how many are in each state, and where each stands. */
export function Tasks({ job, counts }: { job: Job; counts: TaskCounts }) {
  const [state, setState] = useState<State | null>(null);
  const [trail, setTrail] = useState<Trail>([]);
  const cursor = trail.at(-1);
  const ofState = state === null ? {} : { state };
  const query = { ...ofState, limit: perPage, ...(cursor === undefined ? {} : { cursor }) };
  const readTasks = () =>
    readAll((page) =>
      bodyOf(api.GET('/v1/jobs/{job}/tasks', { params: { path: { job: job.id }, query: { ...ofState, ...page } } })),
    );
  const tasks = queries.useQuery(
    'get',
    '/v1/jobs/{job}/tasks',
    { params: { path: { job: job.id }, query } },
    { placeholderData: (former) => former, refetchInterval: isEnded(job) ? false : liveMs },
  );
  return (
    <Section
      title="Tasks"
      hint={countsOf(counts)}
      actions={
        <>
          <Select
            size="xs"
            aria-label="State of the tasks"
            placeholder="in any state"
            clearable
            data={states.map((value) => ({ value, label: `${value} (${count(counts[value])})` }))}
            value={state}
            onChange={(chosen) => {
              setTrail([]);
              setState(chosen);
            }}
          />
          <CsvButton name={`tasks-${job.name}`} columns={csvColumns} rows={readTasks} />
        </>
      }
    >
      <Answered query={tasks}>
        {({ items, nextCursor }) => (
          <>
            {items.length === 0 ? (
              <Empty title="No such task">Another state may have some.</Empty>
            ) : (
              <DataTable
                caption="Tasks in the order of their places"
                columns={columns}
                rows={items}
                keyOf={({ index }) => String(index)}
              />
            )}
            <Pager trail={trail} nextCursor={nextCursor} perPage={perPage} shown={items.length} onTurn={setTrail} />
          </>
        )}
      </Answered>
    </Section>
  );
}

/** Of each state that tasks are in, how many. */
function countsOf(counts: TaskCounts): string {
  const parts = states.filter((state) => counts[state] > 0).map((state) => `${count(counts[state])} ${state}`);
  return `${count(counts.total)} in all: ${parts.join(', ')}.`;
}
