import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import type { Shares, SharesBucket } from '../../../../infra/cli/generated/api.ts';
import { othersColour, seriesColour } from '../../charts/colours.ts';
import { StackedArea } from '../../charts/stacked-area.tsx';
import { ChartSection } from '../../parts/chart-section.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { formatCompute } from '../../../core/quantity.ts';
import { computeShort, exact, percent } from '../../parts/format.ts';
import { Empty } from '../../parts/states.tsx';
import { windowName, type Window } from './windows.ts';

const mostSeries = 9;

type Measure = 'share' | 'compute';

/** Each tenant's part of the compute, as a stacked area; what is not named is the others'. */
export function SharesOverTime({ shares, window }: { shares: Shares; window: Window }) {
  const [measure, setMeasure] = useState<Measure>('share');
  const buckets = sinceFirstUse(shares.series ?? []);
  const named = (shares.groups ?? []).slice(0, mostSeries);
  const names = [...named.map(({ name, value }) => name ?? value ?? 'none'), 'Others'];
  const valuesOf = (bucket: SharesBucket): number[] => {
    const whole = measure === 'share' ? (bucket.compute > 0 ? 1 : 0) : bucket.compute;
    const parts = named.map(({ value }) => bucket.groups.find((group) => group.value === value)?.[measure] ?? 0);
    return [...parts, Math.max(0, whole - parts.reduce((sum, part) => sum + part, 0))];
  };
  const points = buckets.map((bucket) => ({ atMs: Date.parse(bucket.from), values: valuesOf(bucket) }));
  const hasOthers = points.some(({ values }) => (values.at(-1) ?? 0) > 1e-9);
  const shown = hasOthers ? names : names.slice(0, -1);
  const series = shown.map((name, at) => ({
    name,
    colour: at === mostSeries || name === 'Others' ? othersColour : seriesColour(at),
  }));
  const show = measure === 'share' ? (value: number) => percent(value, 0) : formatCompute;
  const columns: Column<(typeof points)[number]>[] = [
    {
      name: 'From',
      isHeader: true,
      show: ({ atMs }) => exact(new Date(atMs).toISOString()),
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
      hint={`What each tenant used of the pool, ${windowName(window)}.`}
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
          untilMs={Date.parse(shares.window.to)}
          yMax={measure === 'share' ? 1 : largest}
          showY={show}
          showTick={measure === 'share' ? show : computeShort}
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
