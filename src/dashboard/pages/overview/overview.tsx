import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { queries } from '../../api/client.ts';
import { Columns, Figures, PageTitle } from '../../parts/section.tsx';
import { Answered } from '../../parts/states.tsx';
import { computeShort, count, percent, usd } from '../../parts/format.ts';
import { usePageTitle } from '../../parts/page-title.ts';
import { Concentration } from './concentration.tsx';
import { Holders } from './holders.tsx';
import { Now } from './now.tsx';
import { Lorenz } from './lorenz.tsx';
import { SharesOverTime } from './shares-over-time.tsx';
import { windowName, windows, type Window } from './windows.ts';

/** Who holds the compute. */
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
          <>
            <Figures
              figures={[
                { name: 'Spent', value: usd(answer.total.costUsd), hint: `by the whole pool, ${windowName(window)}` },
                { name: 'Computed', value: computeShort(answer.total.compute), hint: 'FLOP/s-days, at peak rate' },
                {
                  name: 'Largest share',
                  value: answer.concentration.largestShare === null ? '–' : percent(answer.concentration.largestShare),
                  hint: 'of one tenant',
                },
                {
                  name: 'Effective tenants',
                  value:
                    answer.concentration.effectiveTenants === null ? '–' : count(answer.concentration.effectiveTenants),
                  hint: 'as many with equal parts would be as concentrated',
                },
              ]}
            />
            <SharesOverTime shares={answer} window={window} />
            <Holders shares={answer} window={window} />
            <Columns>
              <Concentration shares={answer} />
              <Lorenz shares={answer} />
            </Columns>
            <Now />
          </>
        )}
      </Answered>
    </>
  );
}
