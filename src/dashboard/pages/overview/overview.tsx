import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import type { Shares } from '../../../../infra/cli/generated/api.ts';
import { queries } from '../../api/client.ts';
import { useMe } from '../../api/session.ts';
import { Columns, ComputeFigure, Figures, PageTitle } from '../../parts/section.tsx';
import { Answered, Former } from '../../parts/states.tsx';
import { count, percent, usd } from '../../parts/format.ts';
import { usePageTitle } from '../../parts/page-title.ts';
import { Broken } from './broken.tsx';
import { Budgets } from './budgets.tsx';
import { Concentration } from './concentration.tsx';
import { Holders } from './holders.tsx';
import { Now } from './now.tsx';
import { Lorenz } from './lorenz.tsx';
import { SharesOverTime } from './shares-over-time.tsx';
import { windowName, windows, type Window } from './windows.ts';

/** Who holds the compute, what waits for it, and what is broken. */
export function Overview() {
  usePageTitle('Overview');
  const [window, setWindow] = useState<Window>('7d');
  const shares = queries.useQuery(
    'get',
    '/v1/shares',
    { params: { query: { window, series: windows[window].series, groupBy: 'tenant' } } },
    { placeholderData: (former) => former },
  );
  return (
    <>
      <PageTitle title="Overview" hint="Who holds the compute, and what waits for it.">
        <SegmentedControl
          size="xs"
          aria-label="Window"
          data={Object.entries(windows).map(([value, { name }]) => ({ value, label: name }))}
          value={window}
          onChange={(value) => setWindow(value as Window)}
        />
      </PageTitle>
      <Answered query={shares} lines={12}>
        {(answer) => (
          <Former isFormer={shares.isPlaceholderData}>
            <Parts shares={answer} window={window} />
          </Former>
        )}
      </Answered>
    </>
  );
}

function Parts({ shares, window }: { shares: Shares; window: Window }) {
  const me = useMe();
  const month = shares.window.to.slice(0, 7);
  const asked = queries.useQuery('get', '/v1/shares/report', { params: { query: { month } } });
  const report = typeof asked.data === 'object' ? asked.data : undefined;
  return (
    <>
      <Totals shares={shares} window={window} />
      <SharesOverTime shares={shares} window={window} />
      <Holders shares={shares} window={window} />
      <Columns>
        <Concentration shares={shares} window={window} ceilings={report?.ceilings} />
        <Lorenz shares={shares} />
      </Columns>
      <Answered query={asked}>
        {() =>
          me !== undefined &&
          report !== undefined && (
            <Columns>
              <Budgets report={report} />
              <Broken me={me} report={report} />
            </Columns>
          )
        }
      </Answered>
      <Now wait={report?.wait} />
    </>
  );
}

function Totals({ shares: { total, concentration }, window }: { shares: Shares; window: Window }) {
  const { largestShare, effectiveTenants } = concentration;
  return (
    <Figures
      figures={[
        { name: 'Spent', value: usd(total.costUsd), hint: `by the whole pool, ${windowName(window)}` },
        { name: 'Computed', value: <ComputeFigure compute={total.compute} />, hint: 'at peak rate' },
        { name: 'Largest share', value: largestShare === null ? '–' : percent(largestShare), hint: 'of one tenant' },
        {
          name: 'Effective tenants',
          value: effectiveTenants === null ? '–' : count(effectiveTenants),
          hint: 'as many with equal parts would be as concentrated',
        },
      ]}
    />
  );
}
