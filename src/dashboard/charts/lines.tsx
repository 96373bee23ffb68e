import { Area, LinePath } from '@visx/shape';
import type { ReactNode } from 'react';
import { exact, type Zone } from '../parts/format.ts';
import styles from './lines.module.css';
import { Legend, Plot, TipRows, type LegendItem, type PlotArea } from './plot.tsx';
import { extent } from './thin.ts';

/** A line; where it has no value, it has a gap. */
export type Line = LegendItem & { values: (number | null)[]; isDashed?: boolean };

/** A range around the lines, as from p10 to p90. */
export type Band = { name: string; low: (number | null)[]; high: (number | null)[] };

/** A value that holds everywhere, such as a ceiling. */
export type Level = { name: string; value: number };

type LinesProps = {
  label: string;
  xs: number[];
  lines: Line[];
  band?: Band;
  levels?: Level[];
  yMax?: number;
  showY: (value: number) => string;
  showX?: (value: number) => string;
  zone?: Zone;
  height?: number;
  children?: (area: PlotArea) => ReactNode;
};

export function Lines(props: LinesProps) {
  const { label, xs, lines, band, levels = [], yMax, showY, showX, zone, height = 240, children } = props;
  const [lowest, highest] = extent(
    ...lines.map(({ values }) => values),
    band?.high ?? [],
    levels.map(({ value }) => value),
  );
  const at = xs.map((_, index) => index);
  const tip = (index: number) => (
    <TipRows
      title={showX?.(xs[index] ?? 0) ?? exact(new Date(xs[index] ?? 0).toISOString(), zone)}
      rows={lines.flatMap(({ values, ...line }) => {
        const value = values[index] ?? null;
        return value === null ? [] : [{ ...line, value: showY(value) }];
      })}
    />
  );
  return (
    <>
      <Plot
        label={label}
        height={height}
        xs={xs}
        yMin={lowest}
        yMax={yMax ?? highest * 1.05}
        showY={showY}
        showX={showX}
        zone={zone}
        tip={tip}
      >
        {(area) => {
          const { x, y, width } = area;
          return (
            <>
              {band !== undefined && (
                <Area
                  className={styles.band}
                  data={at}
                  x={(index) => x(xs[index] ?? 0)}
                  y0={(index) => y(band.low[index] ?? 0)}
                  y1={(index) => y(band.high[index] ?? 0)}
                  defined={(index) => band.low[index] !== null && band.high[index] !== null}
                />
              )}
              {levels.map(({ name, value }) => (
                <g key={name} className={styles.level}>
                  <line x1={0} x2={width} y1={y(value)} y2={y(value)} />
                  <text x={width} y={y(value) - 5} textAnchor="end">
                    {name}
                  </text>
                </g>
              ))}
              {lines.map(({ name, colour, values, isDashed }) => (
                <LinePath
                  key={name}
                  data={at}
                  x={(index) => x(xs[index] ?? 0)}
                  y={(index) => y(values[index] ?? 0)}
                  defined={(index) => (values[index] ?? null) !== null}
                  stroke={colour}
                  strokeWidth={2.5}
                  strokeLinecap="round"
                  strokeDasharray={isDashed === true ? '5 4' : undefined}
                />
              ))}
              <Alone lines={lines} xs={xs} area={area} />
              {children?.(area)}
            </>
          );
        }}
      </Plot>
      {lines.length > 1 && <Legend items={lines} />}
    </>
  );
}

/** Dots where a value has no neighbour, so that no line goes through it. */
function Alone({ lines, xs, area: { x, y } }: { lines: Line[]; xs: number[]; area: PlotArea }) {
  return lines.map(({ name, colour, values }) =>
    aloneIn(values).map((at) => (
      <circle key={`${name} ${at}`} cx={x(xs[at] ?? 0)} cy={y(values[at] ?? 0)} r={4} fill={colour} />
    )),
  );
}

function aloneIn(values: (number | null)[]): number[] {
  return values.flatMap((value, at) =>
    value !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null ? [at] : [],
  );
}
