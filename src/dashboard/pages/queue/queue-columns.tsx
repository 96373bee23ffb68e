import { Text } from '@mantine/core';
import { Link } from 'wouter';
import type { Queue } from '../../../../infra/cli/generated/api.ts';
import { Blockers } from '../../parts/blockers.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { machines } from '../../parts/format.ts';
import { Moment } from '../../parts/moment.tsx';

type Row = Queue['items'][number];

/** A waiting job as the queue shows it. */
export function columnsOf(tenants: Queue['tenants']): Column<Row>[] {
  const names = new Map(tenants.map(({ tenant }) => [tenant.id, tenant.name]));
  return [
    {
      name: 'Position',
      isNumber: true,
      show: ({ job }) => job.waiting?.position ?? '–',
      value: ({ job }) => job.waiting?.position ?? null,
    },
    {
      name: 'Job',
      isHeader: true,
      show: ({ job }) => (
        <>
          <Link href={`/jobs/${job.id}`}>{job.name}</Link>
          <Text size="sm" c="dimmed">
            {names.get(job.tenant) ?? job.tenant}
          </Text>
        </>
      ),
      value: ({ job }) => job.name,
    },
    { name: 'Wants', show: ({ job }) => wanted(job), value: ({ job }) => wanted(job) },
    {
      name: 'Expected start',
      show: ({ job }) => <Moment at={job.waiting?.eta.p50} none="not known" passed="any moment" />,
      value: ({ job }) => job.waiting?.eta.p50 ?? '',
    },
    {
      name: 'Why it waits',
      width: '32%',
      show: ({ job }) => <Blockers blockers={job.waiting?.blockers ?? []} />,
      value: ({ job }) => job.waiting?.blockers.map(({ message }) => message).join(' ') ?? '',
    },
    {
      name: 'Ahead of the next because',
      width: '22%',
      show: ({ because }) => because ?? 'It is the last.',
      value: ({ because }) => because,
    },
  ];
}

/** For a file, whose names may be those of several jobs. */
export const ids: Column<Row>[] = [
  { name: 'Id', show: ({ job }) => job.id, value: ({ job }) => job.id },
  { name: 'Tenant id', show: ({ job }) => job.tenant, value: ({ job }) => job.tenant },
];

function wanted({ accelerators }: Row['job']): string {
  return accelerators === null ? '–' : machines(accelerators.count, accelerators.kind);
}
