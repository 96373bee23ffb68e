import { AxisBottom, AxisLeft } from '@visx/axis';
import { GridRows } from '@visx/grid';
import { scaleLinear, scaleTime, scaleUtc } from '@visx/scale';
import { useState, type PointerEvent, type ReactNode } from 'react';
import { tick, type Zone } from '../parts/format.ts';
import styles from './plot.module.css';
import { useWidth } from './use-width.ts';

const margin = { top: 8, right: 12, bottom: 26, left: 64 };

type Scale = (value: number) => number;

/** Where a chart draws: from values to pixels. */
export type PlotArea = { x: Scale; y: Scale; width: number; height: number };

type PlotProps = {
  /** What the chart shows, for those who do not see it. */
  label: string;
  height?: number;
  /** The values at which there is something to say, rising; milliseconds where the axis is time. */
  xs: number[];
  /** Left out: 0. */
  yMin?: number;
  yMax: number;
  showY: (value: number) => string;
  /** Left out: the axis is time. */
  showX?: (value: number) => string;
  /** Of the axis of time. */
  zone?: Zone;
  /** What the pointer over one of `xs` says. */
  tip?: (at: number) => ReactNode;
  children: (area: PlotArea) => ReactNode;
};

/** Axes, grid and pointer of a chart; its children draw the rest. */
export function Plot(props: PlotProps) {
  const { height = 240 } = props;
  const [ref, width] = useWidth<HTMLDivElement>();
  return (
    <div className={styles.plot} style={{ height }} ref={ref}>
      {width > 0 && <Drawing {...props} outer={{ width, height }} />}
    </div>
  );
}

function Drawing(props: PlotProps & { outer: { width: number; height: number } }) {
  const { label, xs, yMin = 0, yMax, showY, showX, zone, tip, children, outer } = props;
  const [at, setAt] = useState<number>();
  const width = Math.max(1, outer.width - margin.left - margin.right);
  const height = outer.height - margin.top - margin.bottom;
  const domain: [number, number] = [xs[0] ?? 0, xs.at(-1) ?? 1];
  const x = scaleOfX(props)({ domain, range: [0, width] });
  const y = scaleLinear({ domain: [yMin, yMax === yMin ? yMin + 1 : yMax], range: [height, 0], nice: 4 });
  const area: PlotArea = { x: (value) => Number(x(value)), y: (value) => y(value), width, height };
  const span = domain[1] - domain[0];
  const pointed = at === undefined ? undefined : xs[at];

  const point = (event: PointerEvent<SVGRectElement>) => {
    const left = event.clientX - event.currentTarget.getBoundingClientRect().left;
    setAt(nearest(xs.map(area.x), left));
  };

  return (
    <>
      <svg width={outer.width} height={outer.height} role="img" aria-label={label}>
        <g transform={`translate(${margin.left} ${margin.top})`}>
          <GridRows scale={y} width={width} numTicks={4} className={styles.grid} />
          {children(area)}
          <AxisLeft
            scale={y}
            numTicks={4}
            hideAxisLine
            hideTicks
            tickFormat={(value) => showY(Number(value))}
            tickLabelProps={{ className: styles.tick, dx: -4, dy: 4, textAnchor: 'end' }}
          />
          <AxisBottom
            scale={x}
            top={height}
            numTicks={Math.max(2, Math.floor(width / 110))}
            hideTicks
            axisLineClassName={styles.axis}
            tickFormat={(value) => showX?.(Number(value)) ?? tick(new Date(Number(value)), span, zone)}
            tickLabelProps={{ className: styles.tick, textAnchor: 'middle', dy: 2 }}
          />
          {pointed !== undefined && (
            <line className={styles.pointer} x1={area.x(pointed)} x2={area.x(pointed)} y1={0} y2={height} />
          )}
          {tip !== undefined && (
            <rect
              width={width}
              height={height}
              fill="transparent"
              onPointerMove={point}
              onPointerLeave={() => setAt(undefined)}
            />
          )}
        </g>
      </svg>
      {tip !== undefined && at !== undefined && pointed !== undefined && (
        <div
          className={styles.tip}
          data-left={area.x(pointed) > width / 2 || undefined}
          style={{ left: margin.left + area.x(pointed) }}
        >
          {tip(at)}
        </div>
      )}
    </>
  );
}

function scaleOfX({ showX, zone }: Pick<PlotProps, 'showX' | 'zone'>) {
  if (showX !== undefined) return scaleLinear;
  return zone === 'UTC' ? scaleUtc : scaleTime;
}

function nearest(places: number[], place: number): number | undefined {
  if (places.length === 0) return undefined;
  return places.reduce(
    (best, at, index) => (Math.abs(at - place) < Math.abs((places[best] ?? Infinity) - place) ? index : best),
    0,
  );
}

export type LegendItem = { name: string; colour: string };

export function Legend({ items }: { items: LegendItem[] }) {
  return (
    <ul className={styles.legend}>
      {items.map(({ name, colour }) => (
        <li key={name}>
          <i style={{ background: colour }} />
          {name}
        </li>
      ))}
    </ul>
  );
}

/** The rows of a tip: a colour, a name, a value. */
export function TipRows({ title, rows }: { title: string; rows: (LegendItem & { value: string })[] }) {
  return (
    <>
      <b>{title}</b>
      {rows.map(({ name, colour, value }) => (
        <span key={name}>
          <i style={{ background: colour }} />
          {name}
          <em>{value}</em>
        </span>
      ))}
    </>
  );
}
