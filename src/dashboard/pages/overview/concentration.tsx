import type { Shares } from '../../../../infra/cli/generated/api.ts';
import { Lines } from '../../charts/lines.tsx';
import { ChartSection } from '../../parts/chart-section.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { exact } from '../../parts/format.ts';
import { Empty } from '../../parts/states.tsx';

type Row = { from: string; hhi: number | null; largestShare: number | null };

const columns: Column<Row>[] = [
  { name: 'From', isHeader: true, show: ({ from }) => exact(from), value: ({ from }) => from },
  { name: 'HHI', isNumber: true, show: ({ hhi }) => hhi?.toFixed(3) ?? '–', value: ({ hhi }) => hhi },
  {
    name: 'Largest share',
    isNumber: true,
    show: ({ largestShare }) => largestShare?.toFixed(3) ?? '–',
    value: ({ largestShare }) => largestShare,
  },
];

/** How concentrated the compute is, bucket by bucket, under the ceiling that the pool's policy sets. */
export function Concentration({ shares, ceiling }: { shares: Shares; ceiling: number | null }) {
  const rows = shares.series ?? [];
  const { hhi, gini } = shares.concentration;
  return (
    <ChartSection
      title="Concentration"
      hint={
        hhi === null
          ? 'The sum of the squared shares (HHI): 1 where one tenant holds all.'
          : `HHI ${hhi.toFixed(3)}${ceiling === null ? ', no ceiling' : `, ceiling ${ceiling}`}${gini === null ? '' : `; Gini ${gini.toFixed(3)}`}. 1 is one tenant holding all.`
      }
      name="concentration"
      columns={columns}
      rows={rows}
      keyOf={({ from }) => from}
    >
      {rows.every((row) => row.hhi === null) ? (
        <Empty title="Nothing was used in this window">Nobody holds more than another.</Empty>
      ) : (
        <Lines
          label={`Concentration over time: HHI ${hhi?.toFixed(3) ?? 'unknown'} over the window${ceiling === null ? '' : `, ceiling ${ceiling}`}`}
          xs={rows.map(({ from }) => Date.parse(from))}
          lines={[{ name: 'HHI', colour: 'var(--weir-series-0)', values: rows.map((row) => row.hhi) }]}
          levels={ceiling === null ? [] : [{ name: `ceiling ${ceiling}`, value: ceiling }]}
          yMax={1}
          showY={(value) => value.toFixed(2)}
          height={190}
        />
      )}
    </ChartSection>
  );
}
