import type { QuoteAccuracy } from '../../../../infra/cli/generated/api.ts';
import { seriesColour } from '../../charts/colours.ts';
import { Lines } from '../../charts/lines.tsx';
import { ChartSection } from '../../parts/chart-section.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { day } from '../../parts/format.ts';
import { percentOf } from './percent-of.ts';

type Day = QuoteAccuracy['overTime'][number];

const columns: Column<Day>[] = [
  { name: 'Day', isHeader: true, show: ({ from }) => day(from), value: ({ from }) => from },
  { name: 'Jobs', isNumber: true, show: ({ finishedJobs }) => finishedJobs, value: ({ finishedJobs }) => finishedJobs },
  {
    name: 'Median error of the cost',
    isNumber: true,
    show: ({ cost }) => percentOf(cost.medianErrorPercent),
    value: ({ cost }) => cost.medianErrorPercent,
  },
  {
    name: 'Median error of the duration',
    isNumber: true,
    show: ({ duration }) => percentOf(duration.medianErrorPercent),
    value: ({ duration }) => duration.medianErrorPercent,
  },
  {
    name: 'Costs within p10 to p90',
    isNumber: true,
    show: ({ cost }) => percentOf(cost.coveragePercent),
    value: ({ cost }) => cost.coveragePercent,
  },
];

/** Whether quotes become better as jobs finish. */
export function ErrorOverTime({ days }: { days: Day[] }) {
  return (
    <ChartSection
      title="Error over time"
      hint="The median of each day’s finished jobs, for the last thirty days."
      name="quote-error"
      columns={columns}
      rows={days}
      keyOf={({ from }) => from}
    >
      <Lines
        label="Median error of cost and duration, day by day"
        zone="UTC"
        xs={days.map(({ from }) => Date.parse(from))}
        lines={[
          { name: 'cost', colour: seriesColour(0), values: days.map(({ cost }) => cost.medianErrorPercent) },
          {
            name: 'duration',
            colour: seriesColour(1),
            values: days.map(({ duration }) => duration.medianErrorPercent),
          },
        ]}
        showY={(value) => `${Math.round(value)} %`}
      />
    </ChartSection>
  );
}
