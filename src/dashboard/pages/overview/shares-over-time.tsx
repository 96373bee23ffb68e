import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import type { Shares, SharesBucket } from '../../../../infra/cli/generated/api.ts';
import { othersColour, seriesColour } from '../../charts/colours.ts';
import { daysPassed } from '../../charts/steps.ts';
import { StackedArea } from '../../charts/stacked-area.tsx';
import { ChartSection } from '../../parts/chart-section.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { formatRate } from '../../../core/quantity.ts';
import { exact, percent, rateShort } from '../../parts/format.ts';
import { Empty } from '../../parts/states.tsx';
import { windowName, windows, zoneOf, type Window } from './windows.ts';

const mostSeries = 9;

type Measure = 'share' | 'compute';

const hints = {
  share: 'What part of the pool’s compute each tenant had, in each',
  compute: 'FLOP/s at peak rate of what each tenant had, on average of each',
} satisfies Record<Measure, string>;

/** Each tenant's part of the compute, or its rate, as a stacked area; what is not named is the others'. */
export function SharesOverTime({ shares, window }: { shares: Shares; window: Window }) {
  const [measure, setMeasure] = useState<Measure>('share');
  const buckets = sinceFirstUse(shares.series ?? []);
  const named = (shares.groups ?? []).slice(0, mostSeries);
  const names = [...named.map(({ name, value }) => name ?? value ?? 'none'), 'Others'];
  const untilMs = Date.parse(shares.window.to);
  const valuesOf = (bucket: SharesBucket): number[] => {
    const days = measure === 'share' ? 1 : daysPassed(bucket, untilMs);
    const whole = measure === 'share' ? (bucket.compute > 0 ? 1 : 0) : bucket.compute / days;
    const parts = named.map(({ value }) => {
      const group = bucket.groups.find((each) => each.value === value);
      return (group?.[measure] ?? 0) / days;
    });
    return [...parts, Math.max(0, whole - parts.reduce((sum, part) => sum + part, 0))];
  };
  const points = buckets.map((bucket) => ({ atMs: Date.parse(bucket.from), values: valuesOf(bucket) }));
  const hasOthers = points.some(({ values }) => (values.at(-1) ?? 0) > 1e-9);
  const shown = hasOthers ? names : names.slice(0, -1);
  const series = shown.map((name, at) => ({
    name,
    colour: at === mostSeries || name === 'Others' ? othersColour : seriesColour(at),
  }));
  const show = measure === 'share' ? (value: number) => percent(value, 0) : formatRate;
  const columns: Column<(typeof points)[number]>[] = [
    {
      name: 'From',
      isHeader: true,
      show: ({ atMs }) => exact(new Date(atMs).toISOString(), zoneOf(window)),
      value: ({ atMs }) => new Date(atMs).toISOString(),
    },
    ...shown.map((name, at): Column<(typeof points)[number]> => ({
      name,
      isNumber: true,
      show: ({ values }) => show(values[at] ?? 0),
      value: ({ values }) => values[at] ?? 0,
    })),
  ];
  const largest = Math.max(0, ...points.map(({ values }) => values.reduce((sum, value) => sum + value, 0)));

  return (
    <ChartSection
      title="Shares over time"
      hint={`${hints[measure]} ${windows[window].series} of the ${windowName(window)}.`}
      name="shares-over-time"
      columns={columns}
      rows={points}
      keyOf={({ atMs }) => String(atMs)}
      actions={
        <SegmentedControl
          size="xs"
          aria-label="Measure"
          data={[
            { value: 'share', label: 'Share' },
            { value: 'compute', label: 'Compute' },
          ]}
          value={measure}
          onChange={(value) => setMeasure(value as Measure)}
        />
      }
    >
      {largest === 0 ? (
        <Empty title="Nothing was used in this window">Its chart begins with the first job that has a machine.</Empty>
      ) : (
        <StackedArea
          label={`Share of the compute by tenant, ${windowName(window)}: ${named
            .map(({ name, share }) => `${name ?? 'none'} ${percent(share)}`)
            .join(', ')}`}
          series={series}
          points={points}
          untilMs={untilMs}
          yMax={measure === 'share' ? 1 : largest}
          showY={show}
          showTick={measure === 'share' ? show : rateShort}
          zone={zoneOf(window)}
        />
      )}
    </ChartSection>
  );
}

/** A pool that is younger than the window begins with its first use. */
function sinceFirstUse(buckets: SharesBucket[]): SharesBucket[] {
  const first = buckets.findIndex(({ compute: used }) => used > 0);
  return first === -1 ? [] : buckets.slice(first);
}
