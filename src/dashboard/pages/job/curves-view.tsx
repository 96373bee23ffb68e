import { seriesColour } from '../../charts/colours.ts';
import { Lines } from '../../charts/lines.tsx';
import type { Curves } from './curves.ts';

export function CurvesView({ name, curves }: { name: string; curves: Curves | undefined }) {
  if (curves === undefined) return null;
  const { x, xs, columns } = curves;
  return (
    <Lines
      label={`${name}: ${columns.map((column) => column.name).join(', ')} over ${x}`}
      xs={xs}
      lines={columns.map((column, at) => ({ ...column, colour: seriesColour(at) }))}
      showX={(value) => String(Number(value.toPrecision(6)))}
      showY={(value) => String(Number(value.toPrecision(3)))}
      height={200}
    />
  );
}
