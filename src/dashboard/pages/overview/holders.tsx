import type { Shares } from '../../../../infra/cli/generated/api.ts';
import { CsvButton } from '../../parts/csv-button.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { holdingColumns, tenantIds } from '../../parts/holding-columns.tsx';
import { Section } from '../../parts/section.tsx';
import { Empty } from '../../parts/states.tsx';
import { windowName, type Window } from './windows.ts';

const columns = holdingColumns('45%');

export function Holders({ shares, window }: { shares: Shares; window: Window }) {
  const rows = shares.tenants;
  return (
    <Section
      title="Who holds the compute"
      actions={<CsvButton name="shares" columns={[...columns, ...tenantIds]} rows={rows} />}
    >
      {rows.length === 0 ? (
        <Empty title="There is no tenant yet">An operator makes one with POST /v1/tenants.</Empty>
      ) : (
        <DataTable
          caption={`Share of the compute, ${windowName(window)}`}
          columns={columns}
          rows={rows}
          keyOf={(row) => row.tenant?.id ?? String(rows.indexOf(row))}
        />
      )}
    </Section>
  );
}
