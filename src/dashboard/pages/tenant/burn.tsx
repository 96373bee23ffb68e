import type { BudgetUse } from '../../../../infra/cli/generated/api.ts';
import { queries } from '../../api/client.ts';
import { Lines } from '../../charts/lines.tsx';
import { ChartSection } from '../../parts/chart-section.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { BudgetParts } from '../../parts/budget-bar.tsx';
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
    show: ({ at }) => exact(new Date(at).toISOString(), 'UTC'),
    value: ({ at }) => new Date(at).toISOString(),
  },
  { name: 'Spent', isNumber: true, show: ({ spent }) => shown(spent), value: ({ spent }) => spent },
  { name: 'Forecast', isNumber: true, show: ({ forecast }) => shown(forecast), value: ({ forecast }) => forecast },
];

/** The month's money as it goes, with all teams below the tenant, and where it will be at its end. */
export function Burn({ tenantId }: { tenantId: string }) {
  const quotas = queries.useQuery('get', '/v1/tenants/{tenant}/quotas', { params: { path: { tenant: tenantId } } });
  return <Answered query={quotas}>{({ budget }) => <Burnt tenantId={tenantId} budget={budget} />}</Answered>;
}

function Burnt({ tenantId, budget }: { tenantId: string; budget: BudgetUse }) {
  const nowMs = useNowMs();
  const usage = queries.useQuery('get', '/v1/tenants/{tenant}/usage', {
    params: { path: { tenant: tenantId }, query: { window: '35d', bucket: 'day', teams: true } },
  });
  const { monthlyUsd } = budget;
  return (
    <Answered query={usage}>
      {({ items }) => {
        const burn = burnOf(items, budget.spentThisMonthUsd, nowMs);
        const { xs, spent, forecast } = burn;
        return (
          <ChartSection
            title="Budget burn"
            hint={hintOf(burn, budget, nowMs)}
            name="budget-burn"
            columns={columns}
            rows={xs.map((at, index) => ({ at, spent: spent[index] ?? null, forecast: forecast[index] ?? null }))}
            keyOf={({ at }) => String(at)}
          >
            <BudgetParts budget={budget} />
            <Lines
              label="What was spent this month, and its forecast"
              zone="UTC"
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
              levels={monthlyUsd === null ? [] : [{ name: `budget ${usd(monthlyUsd)}`, value: monthlyUsd }]}
              showY={usd}
              height={220}
            />
          </ChartSection>
        );
      }}
    </Answered>
  );
}

function hintOf(burn: BurnFigures, { monthlyUsd, reservedUsd }: BudgetUse, nowMs: number): string {
  const { spentUsd, monthEndUsd } = burn;
  const pace = `${usd(spentUsd)} booked this month; at the pace of the last week ${usd(monthEndUsd)} by its end.`;
  if (monthlyUsd === null) return `${pace} There is no monthly budget.`;
  const reached = reachedAt(burn, monthlyUsd, nowMs);
  if (reached !== undefined && reached.getTime() <= nowMs)
    return `${pace} The budget of ${usd(monthlyUsd)} is used up.`;
  if (spentUsd + reservedUsd >= monthlyUsd)
    return `${pace} What is left of the budget of ${usd(monthlyUsd)} is reserved for what runs.`;
  if (reached === undefined) return `${pace} That is within the budget of ${usd(monthlyUsd)}.`;
  const day = reached.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', timeZone: 'UTC' });
  return `${pace} The budget of ${usd(monthlyUsd)} is used up about ${day}.`;
}
