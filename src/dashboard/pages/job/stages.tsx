import type { Job, JobEvent } from '../../../../infra/cli/generated/api.ts';
import { Stages as StageChart, type Stage } from '../../charts/stages.tsx';
import { ChartSection } from '../../parts/chart-section.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { duration, exact } from '../../parts/format.ts';
import { isEnded } from '../../parts/job-facts.tsx';
import { Moment, useNowMs } from '../../parts/moment.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';

/** How long a job was in each state, an attempt a row, with what ended each. */
export function StageTimeline({ job, events }: { job: Job; events: readonly JobEvent[] }) {
  const nowMs = useNowMs();
  const columns: Column<JobEvent>[] = [
    {
      name: 'What',
      isHeader: true,
      show: ({ to, type }) => (to === null ? type : <StateBadge state={to} />),
      value: ({ type }) => type,
    },
    { name: 'When', show: ({ at }) => <Moment at={at} />, value: ({ at }) => at },
    { name: 'Attempt', isNumber: true, show: ({ attempt }) => attempt ?? '–', value: ({ attempt }) => attempt },
    { name: 'Why', width: '50%', show: ({ message }) => message, value: ({ message }) => message },
  ];
  return (
    <ChartSection
      title="Timeline"
      hint={job.state === 'running' ? events.at(-1)?.message : undefined}
      name={`events-${job.name}`}
      columns={columns}
      rows={events}
      keyOf={({ seq }) => String(seq)}
    >
      <StageChart
        label={`How long ${job.name} was in each state`}
        stages={stagesOf(events, isEnded(job) ? undefined : nowMs)}
      />
    </ChartSection>
  );
}

/** From each change of state to the next; the state that goes on lasts until now. */
function stagesOf(events: readonly JobEvent[], nowMs: number | undefined): Stage[] {
  const changes = events.filter(({ to }) => to !== null);
  return changes.flatMap(({ at, to, attempt, reason }, index) => {
    const next = changes[index + 1];
    const fromMs = Date.parse(at);
    const toMs = next === undefined ? nowMs : Date.parse(next.at);
    if (to === null || toMs === undefined) return [];
    const seconds = (toMs - fromMs) / 1000;
    return [
      {
        row: attempt === null || to === 'queued' ? 'Queue' : `Attempt ${attempt}`,
        state: to,
        fromMs,
        toMs: Math.max(fromMs, toMs),
        text: `${to} for ${duration(Math.max(0, seconds))}${reason === null ? '' : ` (${reason})`}, from ${exact(at)}`,
      },
    ];
  });
}
