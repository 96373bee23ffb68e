import { Link } from 'wouter';
import type { JobSummary, Wait } from '../../../../infra/cli/generated/api.ts';
import { queries } from '../../api/client.ts';
import { Blockers } from '../../parts/blockers.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { duration, plural } from '../../parts/format.ts';
import { CostMeter, JobProgress, Took } from '../../parts/job-facts.tsx';
import { Moment } from '../../parts/moment.tsx';
import { Section } from '../../parts/section.tsx';
import { Answered, Empty } from '../../parts/states.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';

const mostShown = 8;

const jobColumn: Column<JobSummary> = {
  name: 'Job',
  isHeader: true,
  show: ({ id, name }) => <Link href={`/jobs/${id}`}>{name}</Link>,
};

const runningColumns: Column<JobSummary>[] = [
  jobColumn,
  { name: 'State', show: ({ state }) => <StateBadge state={state} /> },
  { name: 'For', isNumber: true, show: (job) => <Took job={job} /> },
  { name: 'Progress', width: '28%', show: (job) => <JobProgress job={job} /> },
  {
    name: 'Cost in the quote’s range',
    width: '26%',
    show: (job) => <CostMeter cost={job.cost} range={job.quoted?.costUsd} />,
  },
];

const waitingColumns: Column<JobSummary>[] = [
  { name: 'Position', isNumber: true, show: ({ waiting }) => waiting?.position ?? '–' },
  jobColumn,
  { name: 'Expected start', show: ({ waiting }) => <Moment at={waiting?.eta.p50} /> },
  { name: 'Why it waits', width: '48%', show: ({ waiting }) => <Blockers blockers={waiting?.blockers ?? []} /> },
];

function useJobs(state: string) {
  return queries.useQuery('get', '/v1/jobs/summaries', { params: { query: { state, limit: 1000 } } });
}

/** What has a machine now, and what comes next. */
export function Now({ wait }: { wait: Wait | undefined }) {
  const running = useJobs('provisioning,running,stopping');
  const queued = useJobs('queued');
  return (
    <>
      <Section title="Running">
        <Answered query={running}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="No job runs now" />
            ) : (
              <DataTable
                caption="Jobs that have a machine"
                columns={runningColumns}
                rows={items.slice(0, mostShown)}
                keyOf={({ id }) => id}
              />
            )
          }
        </Answered>
      </Section>
      <Section title="Queue" hint={waited(wait)}>
        <Answered query={queued}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="Nothing waits">Every job has a machine.</Empty>
            ) : (
              <DataTable
                caption={`${items.length} ${plural(items.length, 'job')} ${plural(items.length, 'waits', 'wait')}; those that may start first`}
                columns={waitingColumns}
                rows={items.toSorted(byPosition).slice(0, mostShown)}
                keyOf={({ id }) => id}
              />
            )
          }
        </Answered>
      </Section>
    </>
  );
}

const byPosition = (left: JobSummary, right: JobSummary): number =>
  (left.waiting?.position ?? Infinity) - (right.waiting?.position ?? Infinity) ||
  left.createdAt.localeCompare(right.createdAt);

/** How long jobs waited that started this month. */
function waited(wait: Wait | undefined): string | undefined {
  if (wait === undefined || wait.p50Seconds === null || wait.p90Seconds === null) return undefined;
  return `Of the ${wait.jobs} jobs that started this month, half waited at most ${duration(wait.p50Seconds)}, nine in ten ${duration(wait.p90Seconds)}.`;
}
