import { AxisBottom, AxisLeft } from '@visx/axis';
import { scaleLog } from '@visx/scale';
import { Legend, type LegendItem } from './plot.tsx';
import plot from './plot.module.css';
import styles from './scatter.module.css';
import { useWidth } from './use-width.ts';

/** One thing that was predicted with a range, and came. */
export type Outcome = {
  id: string;
  title: string;
  group: number;
  predicted: number;
  low: number;
  high: number;
  actual: number;
};

type ScatterProps = {
  label: string;
  outcomes: Outcome[];
  groups: LegendItem[];
  show: (value: number) => string;
  height?: number;
};

const margin = { top: 8, right: 16, bottom: 40, left: 64 };
const least = 1e-6;

/** Predicted against actual, both on logarithmic axes: what lies on the diagonal came as predicted. */
export function Scatter({ label, outcomes, groups, show, height = 340 }: ScatterProps) {
  const [ref, width] = useWidth<HTMLDivElement>();
  return (
    <>
      <div className={plot.plot} style={{ height }} ref={ref}>
        {width > 0 && <Drawing {...{ label, outcomes, groups, show }} width={width} height={height} />}
      </div>
      <Legend items={groups} />
    </>
  );
}

function Drawing({ label, outcomes, groups, show, width, height }: Required<ScatterProps> & { width: number }) {
  const [inner, outer] = [Math.max(1, width - margin.left - margin.right), height - margin.top - margin.bottom];
  const all = outcomes.flatMap(({ predicted, low, high, actual }) => [predicted, low, high, actual]);
  const domain = [Math.max(least, Math.min(...all) * 0.8), Math.max(least * 10, Math.max(...all) * 1.25)];
  const x = scaleLog({ domain, range: [0, inner] });
  const y = scaleLog({ domain, range: [outer, 0] });
  const at = (value: number) => Math.max(least, value);
  const axis = {
    tickValues: ticksOf(x.ticks()),
    hideTicks: true,
    tickFormat: (value: { valueOf: () => number }) => show(value.valueOf()),
    labelClassName: plot.tick,
  };
  return (
    <svg width={width} height={height} role="img" aria-label={label}>
      <g transform={`translate(${margin.left} ${margin.top})`}>
        <line className={styles.same} x1={0} y1={outer} x2={inner} y2={0} />
        {outcomes.map(({ id, title, group, predicted, low, high, actual }) => (
          <g key={id}>
            <line className={styles.whisker} x1={x(at(low))} x2={x(at(high))} y1={y(at(actual))} y2={y(at(actual))} />
            <circle className={styles.dot} cx={x(at(predicted))} cy={y(at(actual))} r={4} fill={groups[group]?.colour}>
              <title>{title}</title>
            </circle>
          </g>
        ))}
        <AxisLeft
          {...axis}
          scale={y}
          hideAxisLine
          label="actual"
          labelOffset={44}
          tickLabelProps={{ className: plot.tick, dx: -4, dy: 4, textAnchor: 'end' }}
        />
        <AxisBottom
          {...axis}
          scale={x}
          top={outer}
          axisLineClassName={plot.axis}
          label="predicted, with p10 to p90"
          labelOffset={6}
          tickLabelProps={{ className: plot.tick, textAnchor: 'middle', dy: 2 }}
        />
      </g>
    </svg>
  );
}

/** Of a logarithmic axis every tick would be too many: 1, 2 and 5 of each decade, of many decades only 1. */
function ticksOf(ticks: number[]): number[] {
  const digitOf = (value: number) => Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9));
  const kept = ticks.filter((value) => [1, 2, 5].includes(digitOf(value)));
  return kept.length > 8 ? kept.filter((value) => digitOf(value) === 1) : kept;
}
