import { queries } from '../../api/client.ts';
import { daysPassed } from '../../charts/steps.ts';
import { StackedArea } from '../../charts/stacked-area.tsx';
import { ChartSection } from '../../parts/chart-section.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { formatCompute, formatRate } from '../../../core/quantity.ts';
import { exact, rateShort, usd } from '../../parts/format.ts';
import { Answered, Empty } from '../../parts/states.tsx';

type Bucket = { from: string; to: string; compute: number; costUsd: number; acceleratorHours: number };

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
        const readAtMs = usage.dataUpdatedAt;
        const rateOf = (row: Bucket) => row.compute / daysPassed(row, readAtMs);
        return (
          <ChartSection
            title="Use"
            hint="FLOP/s at peak rate of what it had, on average of each hour of the last week."
            name="use"
            columns={columns}
            rows={rows}
            keyOf={({ from }) => from}
          >
            {rows.length === 0 ? (
              <Empty title="Nothing was used in the last week" />
            ) : (
              <StackedArea
                label="Rate of the compute used, by hour"
                series={[{ name: 'used', colour: 'var(--weir-series-0)' }]}
                untilMs={readAtMs}
                points={rows.map((row) => ({ atMs: Date.parse(row.from), values: [rateOf(row)] }))}
                yMax={Math.max(...rows.map(rateOf))}
                showY={formatRate}
                showTick={rateShort}
                height={220}
              />
            )}
          </ChartSection>
        );
      }}
    </Answered>
  );
}
