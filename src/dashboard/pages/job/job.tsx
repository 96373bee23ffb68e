import { Alert, Button, Group, Modal, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useParams } from 'wouter';
import type { Job as JobAnswer } from '../../../../infra/cli/generated/api.ts';
import { api, messageOf, queries } from '../../api/client.ts';
import { liveMs } from '../../api/connection.ts';
import { useMe } from '../../api/session.ts';
import { Blockers } from '../../parts/blockers.tsx';
import { CostMeter, isEnded, JobProgress, quotedOption, Took } from '../../parts/job-facts.tsx';
import { count, machines, usd } from '../../parts/format.ts';
import { Moment } from '../../parts/moment.tsx';
import { usePageTitle } from '../../parts/page-title.ts';
import { Columns, Figures, PageTitle, Section } from '../../parts/section.tsx';
import { Answered } from '../../parts/states.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { AgainstQuote } from './against-quote.tsx';
import { Artifacts } from './artifacts.tsx';
import { Attempts, machineOf } from './attempts.tsx';
import { LogView } from './log-view.tsx';
import { Metrics } from './metrics.tsx';
import { SpecView } from './spec-view.tsx';
import { StageTimeline } from './stages.tsx';
import { Tasks } from './tasks.tsx';
import { useLog } from './use-log.ts';

/** All there is to know of one job. */
export function Job() {
  const { job: id } = useParams<{ job: string }>();
  const job = queries.useQuery(
    'get',
    '/v1/jobs/{job}',
    { params: { path: { job: id } } },
    { refetchInterval: ({ state }) => (state.data !== undefined && isEnded(state.data) ? false : liveMs) },
  );
  usePageTitle(job.data?.name ?? 'Job');
  return (
    <Answered query={job} lines={12}>
      {(answer) => <JobPage job={answer} />}
    </Answered>
  );
}

function JobPage({ job }: { job: JobAnswer }) {
  const events = queries.useQuery('get', '/v1/jobs/{job}/events', {
    params: { path: { job: job.id }, query: { limit: 1000 } },
  });
  return (
    <>
      <PageTitle
        title={
          <>
            {job.name} <StateBadge state={job.state} />
          </>
        }
        hint={
          <>
            <code>{job.id}</code> · submitted <Moment at={job.createdAt} />
            {job.task !== undefined && (
              <>
                {' '}
                · task {job.task.index} of <Link href={`/jobs/${job.task.array}`}>its array</Link>
              </>
            )}
          </>
        }
      >
        <CancelButton job={job} />
      </PageTitle>
      {job.message !== null && job.state !== 'running' && (
        <Alert variant="light" color={job.state === 'failed' ? 'red' : 'cyan'} mb="md">
          {job.message}
        </Alert>
      )}
      <Facts job={job} />
      {job.waiting !== undefined && (
        <Section
          title="Why it waits"
          hint={
            <>
              {job.waiting.position === null ? '' : `Position ${job.waiting.position} in its tenant’s queue; `}
              expected start: <Moment at={job.waiting.eta.p50} none="not known" passed="any moment" />, nine in ten by{' '}
              <Moment at={job.waiting.eta.p90} none="an unknown time" passed="now" />
            </>
          }
        >
          <Blockers blockers={job.waiting.blockers} />
        </Section>
      )}
      <Answered query={events}>
        {(answer) => <StageTimeline job={job} events={'items' in answer ? answer.items : []} />}
      </Answered>
      {job.tasks === undefined ? <Run job={job} /> : <Tasks job={job} counts={job.tasks} />}
      <SpecView spec={job.spec} />
    </>
  );
}

/** What a job has that runs itself, as an array does not. */
function Run({ job }: { job: JobAnswer }) {
  const log = useLog(job.id);
  return (
    <>
      <Metrics job={job} readings={log.readings} />
      <LogView job={job} log={log} />
      <Columns>
        <AgainstQuote job={job} />
        <Artifacts job={job} />
      </Columns>
      <Attempts attempts={job.attempts} />
    </>
  );
}

function Facts({ job }: { job: JobAnswer }) {
  const offer = job.attempts.at(-1)?.offer;
  const isUp = ['running', 'stopping'].includes(job.state);
  const took = { name: isUp ? 'Running for' : 'Ran for', value: <Took job={job} /> };
  if (job.tasks !== undefined)
    return (
      <Figures
        figures={[
          took,
          { name: 'Cost', value: usd(job.cost.finalUsd ?? job.cost.accruedUsd), hint: 'of all tasks' },
          { name: 'Tasks', value: count(job.tasks.total) },
          { name: 'Succeeded', value: count(job.tasks.succeeded), hint: `${count(job.tasks.failed)} failed` },
        ]}
      />
    );
  return (
    <Figures
      figures={[
        took,
        { name: 'Cost in the quote’s range', value: <CostMeter cost={job.cost} range={quotedOption(job)?.costUsd} /> },
        {
          name: 'Machine',
          value:
            offer === undefined
              ? 'none yet'
              : machines(offer.accelerators.count * offer.nodes, offer.accelerators.kind),
          hint: offer === undefined ? undefined : machineOf(offer),
        },
        job.state === 'running'
          ? { name: 'Progress', value: <JobProgress job={job} /> }
          : { name: 'Attempts', value: job.attempts.length },
      ]}
    />
  );
}

function CancelButton({ job }: { job: JobAnswer }) {
  const queryClient = useQueryClient();
  const role = useMe()?.role;
  const cancel = useMutation({
    mutationFn: () => api.POST('/v1/jobs/{job}/cancel', { params: { path: { job: job.id } } }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['get', '/v1/jobs/{job}'] }),
  });
  const [isAsked, setAsked] = useState(false);
  if (isEnded(job) || role === 'viewer') return null;
  return (
    <Group gap="xs">
      {cancel.isError && <span role="alert">{messageOf(cancel.error)}</span>}
      <Button color="red" variant="light" loading={cancel.isPending} onClick={() => setAsked(true)}>
        Cancel the job
      </Button>
      <Modal
        opened={isAsked}
        onClose={() => setAsked(false)}
        title={`Cancel ${job.name}?`}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Text size="sm">
          {job.tasks === undefined ? 'It is stopped' : 'All its tasks are stopped'} for good, with time to write a
          checkpoint.
        </Text>
        <Group mt="md" justify="flex-end">
          <Button variant="default" onClick={() => setAsked(false)}>
            Keep it
          </Button>
          <Button
            color="red"
            onClick={() => {
              setAsked(false);
              cancel.mutate();
            }}
          >
            Cancel it
          </Button>
        </Group>
      </Modal>
    </Group>
  );
}
