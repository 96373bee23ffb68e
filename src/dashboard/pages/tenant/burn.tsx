import type { Policy } from '../../../../infra/cli/generated/api.ts';
import { queries } from '../../api/client.ts';
import { Lines } from '../../charts/lines.tsx';
import { ChartSection } from '../../parts/chart-section.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { exact, usd } from '../../parts/format.ts';
import { useNowMs } from '../../parts/moment.tsx';
import { Answered } from '../../parts/states.tsx';
import { burnOf, reachedAt, type Burn as BurnFigures } from './forecast.ts';

type Row = { at: number; spent: number | null; forecast: number | null };

const shown = (value: number | null) => (value === null ? '–' : usd(value));

const columns: Column<Row>[] = [
  {
    name: 'By',
    isHeader: true,
    show: ({ at }) => exact(new Date(at).toISOString()),
    value: ({ at }) => new Date(at).toISOString(),
  },
  { name: 'Spent', isNumber: true, show: ({ spent }) => shown(spent), value: ({ spent }) => spent },
  { name: 'Forecast', isNumber: true, show: ({ forecast }) => shown(forecast), value: ({ forecast }) => forecast },
];

/** The month's money as it goes, and where it will be at its end. */
export function Burn({ tenantId, policy }: { tenantId: string; policy: Policy }) {
  const nowMs = useNowMs();
  const usage = queries.useQuery('get', '/v1/tenants/{tenant}/usage', {
    params: { path: { tenant: tenantId }, query: { window: '35d', bucket: 'day' } },
  });
  const budgetUsd = policy.budget?.monthlyUsd;
  return (
    <Answered query={usage}>
      {({ items }) => {
        const burn = burnOf(items, nowMs);
        const { xs, spent, forecast } = burn;
        return (
          <ChartSection
            title="Budget burn"
            hint={hintOf(burn, budgetUsd, nowMs)}
            name="budget-burn"
            columns={columns}
            rows={xs.map((at, index) => ({ at, spent: spent[index] ?? null, forecast: forecast[index] ?? null }))}
            keyOf={({ at }) => String(at)}
          >
            <Lines
              label="What was spent this month, and its forecast"
              xs={xs}
              lines={[
                { name: 'spent', colour: 'var(--weir-series-0)', values: spent },
                {
                  name: 'at the pace of the last week',
                  colour: 'var(--weir-series-1)',
                  values: forecast,
                  isDashed: true,
                },
              ]}
              levels={budgetUsd === undefined ? [] : [{ name: `budget ${usd(budgetUsd)}`, value: budgetUsd }]}
              showY={usd}
              height={220}
            />
          </ChartSection>
        );
      }}
    </Answered>
  );
}

function hintOf(burn: BurnFigures, budgetUsd: number | undefined, nowMs: number): string {
  const { spentUsd, monthEndUsd } = burn;
  const pace = `${usd(spentUsd)} this month; at the pace of the last week ${usd(monthEndUsd)} by its end.`;
  if (budgetUsd === undefined) return `${pace} There is no monthly budget.`;
  const reached = reachedAt(burn, budgetUsd, nowMs);
  if (reached === undefined) return `${pace} That is within the budget of ${usd(budgetUsd)}.`;
  const day = reached.toLocaleDateString('en-GB', { day: 'numeric', month: 'long' });
  return `${pace} The budget of ${usd(budgetUsd)} ${reached.getTime() <= nowMs ? 'is used up' : `is used up about ${day}`}.`;
}
