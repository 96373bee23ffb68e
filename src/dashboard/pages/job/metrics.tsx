import { useDeferredValue, useEffect } from 'react';
import type { Job, JobProgress } from '../../../../infra/cli/generated/api.ts';
import { queries } from '../../api/client.ts';
import { liveMs } from '../../api/connection.ts';
import { seriesColour } from '../../charts/colours.ts';
import { Lines } from '../../charts/lines.tsx';
import { thinned } from '../../charts/thin.ts';
import { ChartSection } from '../../parts/chart-section.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { count, exact } from '../../parts/format.ts';
import { hasNodes } from '../../parts/job-facts.tsx';
import { Columns } from '../../parts/section.tsx';
import { MachineUse } from './machine-use.tsx';
import { curvesOfLog, type Curve, type Reading, type Readings } from './readings.ts';

/** The job's progress and every number that it prints again and again. */
export function Metrics({ job, readings }: { job: Job; readings: Readings }) {
  const metrics = curvesOfLog(useDeferredValue(readings));
  const { data: progress, refetch } = queries.useQuery(
    'get',
    '/v1/jobs/{job}/progress',
    { params: { path: { job: job.id } } },
    { refetchInterval: job.state === 'running' ? liveMs : false },
  );
  // A job may have run to its end between two looks.
  useEffect(() => void refetch(), [job.state, refetch]);
  return (
    <>
      <Columns>
        {progress !== undefined && progress.points.length > 1 && <ProgressPlot progress={progress} />}
        {metrics.map((curve, at) => (
          <Plotted
            key={curve.name}
            name={curve.name}
            hint={hasNodes(job) ? toldBy(curve) : undefined}
            readings={curve.readings}
            colour={seriesColour(at + 1)}
          />
        ))}
      </Columns>
      {progress !== undefined && <MachineUse usage={progress.usage} />}
    </>
  );
}

function ProgressPlot({ progress: { points, total, unit } }: { progress: JobProgress }) {
  return (
    <Plotted
      name="Progress"
      hint={`In ${unit ?? 'its own unit'}, as the job tells it.`}
      readings={points.map(({ at, done }) => ({ at: Date.parse(at), value: done }))}
      colour={seriesColour(0)}
      level={total === null ? undefined : { name: `all ${count(total)} ${unit ?? ''}`, value: total }}
    />
  );
}

type PlottedProps = {
  name: string;
  hint?: string | undefined;
  readings: readonly Reading[];
  colour: string;
  level?: { name: string; value: number } | undefined;
};

const columns: Column<Reading>[] = [
  {
    name: 'At',
    isHeader: true,
    show: ({ at }) => exact(new Date(at).toISOString()),
    value: ({ at }) => new Date(at).toISOString(),
  },
  { name: 'Value', isNumber: true, show: ({ value }) => String(value), value: ({ value }) => value },
];

function Plotted({ name, hint, readings, colour, level }: PlottedProps) {
  const shown = thinned(readings);
  // A log that came in one piece has one time; then the readings are counted.
  const isByTime = (shown.at(-1)?.at ?? 0) - (shown[0]?.at ?? 0) >= 1000;
  return (
    <ChartSection
      title={name}
      hint={hint ?? lastOf(readings)}
      name={name.replaceAll(/[^\w.-]/g, '-')}
      columns={columns}
      rows={readings}
      keyOf={(_, at) => String(at)}
    >
      <Lines
        label={`${name} over time, last ${significant(readings.at(-1)?.value ?? 0)}`}
        xs={shown.map(({ at }, index) => (isByTime ? at : index + 1))}
        showX={isByTime ? undefined : count}
        lines={[{ name, colour, values: shown.map(({ value }) => value) }]}
        levels={level === undefined ? [] : [level]}
        showY={significant}
        height={180}
      />
    </ChartSection>
  );
}

function lastOf(readings: readonly Reading[]): string {
  return `Last: ${significant(readings.at(-1)?.value ?? 0)}, of ${count(readings.length)} that the log tells.`;
}

const toldBy = ({ node, readings }: Curve): string => `${lastOf(readings)} As node ${node} tells it.`;

const significant = (value: number): string => String(Number(value.toPrecision(3)));
