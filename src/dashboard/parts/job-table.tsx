import { Link } from 'wouter';
import type { JobSummary } from '../../../infra/cli/generated/api.ts';
import { DataTable, type Column } from './data-table.tsx';
import { JobProgress, Took } from './job-facts.tsx';
import { machines, usd } from './format.ts';
import { Moment } from './moment.tsx';
import { secondsRun } from './seconds-run.ts';
import { StateBadge } from './state-badge.tsx';

const spent = ({ cost }: JobSummary): number => cost.finalUsd ?? cost.accruedUsd;

/** That a job succeeded says all. */
const whyItEnded = ({ state, message, reason }: JobSummary): string =>
  state === 'succeeded' ? '–' : (message ?? reason ?? '–');

export const jobColumns: Column<JobSummary>[] = [
  {
    name: 'Job',
    isHeader: true,
    show: ({ id, name }) => <Link href={`/jobs/${id}`}>{name}</Link>,
    value: ({ name }) => name,
  },
  { name: 'State', show: ({ state }) => <StateBadge state={state} />, value: ({ state }) => state },
  {
    name: 'Machine',
    show: ({ accelerators }) => (accelerators === null ? '–' : machines(accelerators.count, accelerators.kind)),
    value: ({ accelerators }) => (accelerators === null ? '' : `${accelerators.count} × ${accelerators.kind}`),
  },
  {
    name: 'Progress, or why it ended',
    width: '26%',
    show: (job) => (job.state === 'running' ? <JobProgress job={job} /> : whyItEnded(job)),
    value: ({ message }) => message,
  },
  {
    name: 'Took',
    isNumber: true,
    show: (job) => <Took job={job} />,
    value: (job) => secondsRun(job, Date.now()) ?? null,
  },
  { name: 'Cost', isNumber: true, show: (job) => usd(spent(job)), value: spent },
  {
    name: 'Submitted',
    isNumber: true,
    show: ({ createdAt }) => <Moment at={createdAt} />,
    value: ({ createdAt }) => createdAt,
  },
];

/** For a file, whose names may be those of several jobs. */
export const idsOfJobs: Column<JobSummary>[] = [
  { name: 'Id', show: ({ id }) => id, value: ({ id }) => id },
  { name: 'Tenant id', show: ({ tenant }) => tenant, value: ({ tenant }) => tenant },
];

export function JobTable({
  caption,
  jobs,
  columns = jobColumns,
}: {
  caption: string;
  jobs: readonly JobSummary[];
  columns?: Column<JobSummary>[];
}) {
  return <DataTable caption={caption} columns={columns} rows={jobs} keyOf={({ id }) => id} />;
}
