import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { Me, ShareReport } from '../../../../infra/cli/generated/api.ts';
import { queries } from '../../api/client.ts';
import { Prose } from '../../parts/blockers.tsx';
import { Moment, useNowMs } from '../../parts/moment.tsx';
import { Section } from '../../parts/section.tsx';
import { Empty, Failing, Loading } from '../../parts/states.tsx';
import styles from './broken.module.css';

const dayMs = 86_400_000;
const mostShown = 6;

type Trouble = { key: string; what: ReactNode; detail: string | null; at: string };

/** What a person should look at: jobs that failed today, machines that can't be had, ceilings that were passed. */
export function Broken({ me, report }: { me: Me; report: ShareReport }) {
  const nowMs = useNowMs();
  const isOperator = me.role === 'operator';
  const failed = queries.useQuery('get', '/v1/jobs/summaries', {
    params: { query: { state: 'failed', sort: '-finishedAt', limit: 10 } },
  });
  // On the first of a month yesterday's notices are in another report.
  const yesterday = new Date(nowMs - dayMs).toISOString().slice(0, 7);
  const former = queries.useQuery(
    'get',
    '/v1/shares/report',
    { params: { query: { month: yesterday } } },
    { enabled: yesterday < report.month },
  );
  const capacity = queries.useQuery('get', '/v1/pool/capacity', {}, { enabled: isOperator });
  const asked = [failed, ...(isOperator ? [capacity] : []), ...(yesterday < report.month ? [former] : [])];
  const reports = [report, ...(typeof former.data === 'object' ? [former.data] : [])];
  const unread = asked.find(({ isError, data }) => isError && data === undefined);
  const troubles: Trouble[] = [
    ...(failed.data?.items ?? []).map((job) => ({
      key: job.id,
      what: (
        <>
          <Link href={`/jobs/${job.id}`}>{job.name}</Link> failed
        </>
      ),
      detail: job.message ?? job.reason,
      at: job.finishedAt ?? job.createdAt,
    })),
    ...(capacity.data?.shortages ?? []).map(({ provider, zone, kind, machineType, message, at }) => ({
      key: [provider, zone, kind, machineType].join(' '),
      what: `${kind ?? machineType ?? 'Machines'} of ${provider}${zone === null ? '' : ` in ${zone}`} can’t be had`,
      detail: message,
      at,
    })),
    ...reports.flatMap(({ notices }) =>
      notices.map(({ at, tenant, note }) => ({ key: `${at} ${note}`, what: tenant.name, detail: note, at })),
    ),
  ];
  const recent = troubles
    .filter(({ at }) => Date.parse(at) > nowMs - dayMs)
    .toSorted((a, b) => b.at.localeCompare(a.at))
    .slice(0, mostShown);
  return (
    <Section title="What is broken now" hint="Of the last 24 hours.">
      {unread !== undefined && <Failing error={unread.error} retry={unread.refetch} />}
      {recent.length === 0 ? (
        unread === undefined && <None isLoading={asked.some(({ isPending }) => isPending)} isOperator={isOperator} />
      ) : (
        <ul className={styles.troubles}>
          {recent.map(({ key, what, detail, at }) => (
            <li key={key}>
              <div>
                <b>{what}</b>
                {detail !== null && (
                  <Text size="sm" c="dimmed">
                    <Prose text={detail} />
                  </Text>
                )}
              </div>
              <Text size="sm" c="dimmed" className={styles.at}>
                <Moment at={at} />
              </Text>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

/** That nothing is broken is said of what was looked at, once it was. */
function None({ isLoading, isOperator }: { isLoading: boolean; isOperator: boolean }) {
  if (isLoading) return <Loading lines={2} />;
  const machines = isOperator ? ' no machine was missing,' : '';
  return <Empty title="Nothing">{`No job failed,${machines} no ceiling was passed.`}</Empty>;
}
