import type { Shares } from '../../../../infra/cli/generated/api.ts';
import { Lines } from '../../charts/lines.tsx';
import { ChartSection } from '../../parts/chart-section.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { percent } from '../../parts/format.ts';

type Point = { tenants: number; use: number };

const columns: Column<Point>[] = [
  {
    name: 'Tenants, least first',
    isHeader: true,
    show: ({ tenants }) => percent(tenants),
    value: ({ tenants }) => tenants,
  },
  { name: 'Their part of the compute', isNumber: true, show: ({ use }) => percent(use), value: ({ use }) => use },
];

/** The further the curve hangs below the diagonal, the fewer hold the most. */
export function Lorenz({ shares }: { shares: Shares }) {
  const { lorenz, gini } = shares.concentration;
  if (lorenz === null) return null;
  const part = (value: number) => percent(value, 0);
  return (
    <ChartSection
      title="Lorenz curve"
      hint="How much of the compute the tenants that used least have together; the diagonal is all alike."
      name="lorenz"
      columns={columns}
      rows={lorenz}
      keyOf={({ tenants }) => String(tenants)}
    >
      <Lines
        label={`Lorenz curve of the tenants’ use${gini === null ? '' : `, Gini ${gini.toFixed(3)}`}`}
        xs={lorenz.map(({ tenants }) => tenants)}
        lines={[
          { name: 'as it is', colour: 'var(--weir-series-0)', values: lorenz.map(({ use }) => use) },
          {
            name: 'all alike',
            colour: 'var(--weir-series-9)',
            values: lorenz.map(({ tenants }) => tenants),
            isDashed: true,
          },
        ]}
        yMax={1}
        showY={part}
        showX={part}
        height={190}
      />
    </ChartSection>
  );
}
