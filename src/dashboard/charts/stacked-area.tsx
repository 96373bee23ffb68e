import { AreaStack } from '@visx/shape';
import { exact, type Zone } from '../parts/format.ts';
import { stepsOf, type StackedPoint } from './steps.ts';
import { Legend, Plot, TipRows, type LegendItem } from './plot.tsx';

type StackedAreaProps = {
  label: string;
  series: LegendItem[];
  /** Each holds until the next. */
  points: StackedPoint[];
  /** Until when the last one holds, milliseconds. */
  untilMs: number;
  yMax: number;
  showY: (value: number) => string;
  zone?: Zone;
  /** Left out: as showY. */
  showTick?: (value: number) => string;
  height?: number;
};

/** Parts of a whole over time. */
export function StackedArea(props: StackedAreaProps) {
  const { label, series, yMax, showY, showTick = showY, zone, height = 260 } = props;
  const points = [...props.points, ...props.points.slice(-1).map((last) => ({ ...last, atMs: props.untilMs }))];
  const tip = (at: number) => {
    const point = points[at];
    if (point === undefined) return null;
    const rows = series.map((item, index) => ({ ...item, value: point.values[index] ?? 0 }));
    return (
      <TipRows
        title={exact(new Date(point.atMs).toISOString(), zone)}
        rows={rows.filter(({ value }) => value > 0).map((row) => ({ ...row, value: showY(row.value) }))}
      />
    );
  };
  return (
    <>
      <Plot
        label={label}
        height={height}
        xs={points.map(({ atMs }) => atMs)}
        yMax={yMax}
        showY={showTick}
        zone={zone}
        tip={tip}
      >
        {({ x, y }) => (
          <AreaStack<StackedPoint, number>
            data={stepsOf(points)}
            keys={series.map((_, index) => index)}
            value={({ values }, key) => values[key] ?? 0}
            x={({ data }) => x(data.atMs)}
            y0={([low]) => y(low)}
            y1={([, high]) => y(high)}
          >
            {({ stacks, path }) =>
              stacks.map((stack) => (
                <path key={stack.key} d={path(stack) ?? ''} fill={series[stack.key]?.colour} fillOpacity={0.85} />
              ))
            }
          </AreaStack>
        )}
      </Plot>
      <Legend items={series} />
    </>
  );
}
