import { Anchor } from '@mantine/core';
import { Link } from 'wouter';
import type { JobSummary, Wait } from '../../../../infra/cli/generated/api.ts';
import { queries } from '../../api/client.ts';
import { Blockers } from '../../parts/blockers.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { count, duration, plural } from '../../parts/format.ts';
import { CostMeter, JobProgress, Took } from '../../parts/job-facts.tsx';
import { Moment } from '../../parts/moment.tsx';
import { Section } from '../../parts/section.tsx';
import { Answered, Empty } from '../../parts/states.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';

const mostShown = 8;
const runningStates = 'provisioning,running,stopping';

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
  {
    name: 'Expected start',
    show: ({ waiting }) => <Moment at={waiting?.eta.p50} none="not known" passed="any moment" />,
  },
  { name: 'Why it waits', width: '48%', show: ({ waiting }) => <Blockers blockers={waiting?.blockers ?? []} /> },
];

/** What has a machine now, and what comes next. */
export function Now({ wait }: { wait: Wait | undefined }) {
  const running = queries.useQuery('get', '/v1/jobs/summaries', {
    params: { query: { state: runningStates, limit: mostShown } },
  });
  const queue = queries.useQuery('get', '/v1/queue', { params: { query: { limit: mostShown } } });
  return (
    <>
      <Section title="Running" actions={<Whole href={`/jobs?state=${runningStates}`}>All that run</Whole>}>
        <Answered query={running}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="No job runs now" />
            ) : (
              <DataTable
                caption="Jobs that have a machine"
                columns={runningColumns}
                rows={items}
                keyOf={({ id }) => id}
              />
            )
          }
        </Answered>
      </Section>
      <Section title="Queue" hint={waited(wait)} actions={<Whole href="/queue">All that wait</Whole>}>
        <Answered query={queue}>
          {({ items, tenants }) =>
            items.length === 0 ? (
              <Empty title="Nothing waits">Every job has a machine.</Empty>
            ) : (
              <DataTable
                caption={captionOf(tenants.reduce((sum, { queued }) => sum + queued, 0))}
                columns={waitingColumns}
                rows={items.map(({ job }) => job)}
                keyOf={({ id }) => id}
              />
            )
          }
        </Answered>
      </Section>
    </>
  );
}

function Whole({ href, children }: { href: string; children: string }) {
  return (
    <Anchor component={Link} href={href} size="sm">
      {children}
    </Anchor>
  );
}

const captionOf = (queued: number): string =>
  `${count(queued)} ${plural(queued, 'job')} ${plural(queued, 'waits', 'wait')}; those that may start first`;

/** How long jobs waited that started this month. */
function waited(wait: Wait | undefined): string | undefined {
  if (wait === undefined || wait.p50Seconds === null || wait.p90Seconds === null) return undefined;
  return `Of the ${wait.jobs} jobs that started this month, half waited at most ${duration(wait.p50Seconds)}, nine in ten ${duration(wait.p90Seconds)}.`;
}
