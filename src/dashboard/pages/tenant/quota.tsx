import type { Quotas, QuotaUse } from '../../../../infra/cli/generated/api.ts';
import { queries } from '../../api/client.ts';
import { liveMs } from '../../api/connection.ts';
import { CsvButton } from '../../parts/csv-button.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { count } from '../../parts/format.ts';
import { Figures, Section } from '../../parts/section.tsx';
import { Answered, Empty } from '../../parts/states.tsx';

const limit = (value: number | null) => (value === null ? 'none' : count(value));

const columns: Column<QuotaUse>[] = [
  {
    name: 'Kind',
    isHeader: true,
    show: ({ kind }) => (kind === 'cpu' ? 'cpu (cores)' : kind),
    value: ({ kind }) => kind,
  },
  { name: 'Holds', isNumber: true, show: ({ held }) => held, value: ({ held }) => held },
  { name: 'Guaranteed', isNumber: true, show: ({ guaranteed }) => guaranteed, value: ({ guaranteed }) => guaranteed },
  { name: 'Borrowed', isNumber: true, show: ({ borrowed }) => borrowed, value: ({ borrowed }) => borrowed },
  {
    name: 'Borrows at most',
    isNumber: true,
    show: (row) => limit(row.borrowingLimit),
    value: (row) => row.borrowingLimit,
  },
  { name: 'Lent', isNumber: true, show: ({ lent }) => count(lent), value: ({ lent }) => lent },
  { name: 'Lends at most', isNumber: true, show: (row) => limit(row.lendingLimit), value: (row) => row.lendingLimit },
  { name: 'Cap', isNumber: true, show: ({ cap }) => limit(cap), value: ({ cap }) => cap },
];

/** What the tenant holds now, beside what it is guaranteed, borrows and lends, and may have at most. */
export function Quota({ tenantId }: { tenantId: string }) {
  const quotas = queries.useQuery(
    'get',
    '/v1/tenants/{tenant}/quotas',
    { params: { path: { tenant: tenantId } } },
    { refetchInterval: liveMs },
  );
  return (
    <Answered query={quotas}>
      {(answer) => (
        <Section
          title="Quota"
          hint="What it holds now, with all teams below it."
          actions={<CsvButton name="quota" columns={columns} rows={answer.items} />}
        >
          <Totals quotas={answer} />
          {answer.items.length === 0 ? (
            <Empty title="Nothing is held, guaranteed or capped by kind" />
          ) : (
            <DataTable
              caption="By kind of accelerator"
              columns={columns}
              rows={answer.items}
              keyOf={({ kind }) => kind}
            />
          )}
        </Section>
      )}
    </Answered>
  );
}

function Totals({ quotas: { runningJobs, queuedJobs, computePflops } }: { quotas: Quotas }) {
  const figure = (name: string, { held, cap }: { held: number; cap: number | null }) => ({
    name,
    value: count(held),
    hint: cap === null ? 'no cap' : `of ${count(cap)} at most`,
  });
  return (
    <Figures
      figures={[
        figure('Running jobs', runningJobs),
        figure('Queued jobs', queuedJobs),
        figure('PFLOP/s at peak', computePflops),
      ]}
    />
  );
}
