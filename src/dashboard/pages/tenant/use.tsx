import { queries } from '../../api/client.ts';
import { StackedArea } from '../../charts/stacked-area.tsx';
import { ChartSection } from '../../parts/chart-section.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { formatCompute } from '../../../core/quantity.ts';
import { computeShort, exact, usd } from '../../parts/format.ts';
import { Answered, Empty } from '../../parts/states.tsx';

const hourMs = 3_600_000;

type Bucket = { from: string; compute: number; costUsd: number; acceleratorHours: number };

const columns: Column<Bucket>[] = [
  { name: 'From', isHeader: true, show: ({ from }) => exact(from), value: ({ from }) => from },
  { name: 'Compute', isNumber: true, show: (row) => formatCompute(row.compute), value: (row) => row.compute },
  {
    name: 'Accelerator hours',
    isNumber: true,
    show: ({ acceleratorHours }) => acceleratorHours.toFixed(2),
    value: ({ acceleratorHours }) => acceleratorHours,
  },
  { name: 'Cost', isNumber: true, show: ({ costUsd }) => usd(costUsd), value: ({ costUsd }) => costUsd },
];

/** What the tenant used, hour by hour of the last week. */
export function Use({ tenantId }: { tenantId: string }) {
  const usage = queries.useQuery('get', '/v1/tenants/{tenant}/usage', {
    params: { path: { tenant: tenantId }, query: { window: '7d', bucket: 'hour' } },
  });
  return (
    <Answered query={usage}>
      {({ items }) => {
        const first = items.findIndex((item) => item.compute > 0);
        const rows = first === -1 ? [] : items.slice(first);
        return (
          <ChartSection
            title="Use"
            hint="FLOP/s-days of each hour of the last week."
            name="use"
            columns={columns}
            rows={rows}
            keyOf={({ from }) => from}
          >
            {rows.length === 0 ? (
              <Empty title="Nothing was used in the last week" />
            ) : (
              <StackedArea
                label="Compute used by hour"
                series={[{ name: 'used', colour: 'var(--weir-series-0)' }]}
                untilMs={Date.parse(rows.at(-1)?.from ?? '') + hourMs}
                points={rows.map((row) => ({ atMs: Date.parse(row.from), values: [row.compute] }))}
                yMax={Math.max(...rows.map((row) => row.compute))}
                showY={formatCompute}
                showTick={computeShort}
                height={220}
              />
            )}
          </ChartSection>
        );
      }}
    </Answered>
  );
}
