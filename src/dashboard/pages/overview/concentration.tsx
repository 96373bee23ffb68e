import type { Shares, ShareReport } from '../../../../infra/cli/generated/api.ts';
import { Lines } from '../../charts/lines.tsx';
import { ChartSection } from '../../parts/chart-section.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { queries } from '../../api/client.ts';
import { exact, type Zone } from '../../parts/format.ts';
import { Empty } from '../../parts/states.tsx';
import { windowName, zoneOf, type Window } from './windows.ts';

type Row = { from: string; hhi: number | null; largestShare: number | null };

const columnsIn = (zone: Zone): Column<Row>[] => [
  { name: 'From', isHeader: true, show: ({ from }) => exact(from, zone), value: ({ from }) => from },
  { name: 'HHI', isNumber: true, show: ({ hhi }) => hhi?.toFixed(3) ?? '–', value: ({ hhi }) => hhi },
  {
    name: 'Largest share',
    isNumber: true,
    show: ({ largestShare }) => largestShare?.toFixed(3) ?? '–',
    value: ({ largestShare }) => largestShare,
  },
];

type ConcentrationProps = { shares: Shares; window: Window; ceilings: ShareReport['ceilings'] | undefined };

/** How concentrated the compute is, bucket by bucket; and over the thirty days for which the pool's ceiling holds. */
export function Concentration({ shares, window, ceilings }: ConcentrationProps) {
  const rows = shares.series ?? [];
  const { hhi, gini } = shares.concentration;
  const over = windowName(window);
  return (
    <ChartSection
      title="Concentration"
      hint={
        <>
          {hhi === null
            ? 'The sum of the squared shares (HHI): 1 where one tenant holds all.'
            : `HHI ${hhi.toFixed(3)}${gini === null ? '' : `, Gini ${gini.toFixed(3)}`}, ${over}. 1 is one tenant holding all.`}
          {ceilings?.hhi === null && ' There is no ceiling.'}
          {typeof ceilings?.hhi === 'number' && <UnderCeiling ceiling={ceilings.hhi} />}
        </>
      }
      name="concentration"
      columns={columnsIn(zoneOf(window))}
      rows={rows}
      keyOf={({ from }) => from}
    >
      {rows.every((row) => row.hhi === null) ? (
        <Empty title="Nothing was used in this window">Nobody holds more than another.</Empty>
      ) : (
        <Lines
          label={`Concentration over time: HHI ${hhi?.toFixed(3) ?? 'unknown'}, ${over}`}
          zone={zoneOf(window)}
          xs={rows.map(({ from }) => Date.parse(from))}
          lines={[{ name: 'HHI', colour: 'var(--weir-series-0)', values: rows.map((row) => row.hhi) }]}
          yMax={1}
          showY={(value) => value.toFixed(2)}
          height={190}
        />
      )}
    </ChartSection>
  );
}

/** A ceiling holds over thirty days, whatever window is looked at: an hour of one job alone passes any. */
function UnderCeiling({ ceiling }: { ceiling: number }) {
  const { data } = queries.useQuery('get', '/v1/shares', { params: { query: { window: '30d' } } });
  const hhi = data?.concentration.hhi ?? null;
  return ` Over 30 days HHI is ${hhi === null ? '–' : hhi.toFixed(3)}; its ceiling is ${ceiling}.`;
}
