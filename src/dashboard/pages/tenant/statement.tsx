import { Anchor } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'wouter';
import type { StatementLine } from '../../../../infra/cli/generated/api.ts';
import { queries } from '../../api/client.ts';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { usd } from '../../parts/format.ts';
import { Moment } from '../../parts/moment.tsx';
import { Pager, type Trail } from '../../parts/pager.tsx';
import { Section } from '../../parts/section.tsx';
import { Answered, Empty } from '../../parts/states.tsx';

const perPage = 50;

const columns: Column<StatementLine>[] = [
  { name: 'When', isHeader: true, show: ({ at }) => <Moment at={at} /> },
  { name: 'Kind', show: ({ kind }) => kind },
  { name: 'Account', show: ({ account }) => account },
  { name: 'Amount', isNumber: true, show: ({ amountUsd }) => usd(amountUsd) },
  { name: 'Balance', isNumber: true, show: ({ balanceUsd }) => usd(balanceUsd) },
  { name: 'Job', show: ({ job }) => (job === null ? '–' : <Link href={`/jobs/${job}`}>…{job.slice(-6)}</Link>) },
  { name: 'Note', width: '34%', show: ({ note }) => note },
];

/** Every line of the ledger, newest first, a page at a time. */
export function Statement({ tenantId }: { tenantId: string }) {
  const [trail, setTrail] = useState<Trail>([]);
  const cursor = trail.at(-1);
  const statement = queries.useQuery(
    'get',
    '/v1/tenants/{tenant}/statement',
    {
      params: {
        path: { tenant: tenantId },
        query: { limit: perPage, sort: '-at', ...(cursor === undefined ? {} : { cursor }) },
      },
    },
    { placeholderData: (former) => former },
  );
  return (
    <Section
      title="Statement"
      hint="What was reserved, charged and given back. The account spent is what the tenant owes."
      actions={
        <Anchor size="sm" href={`/v1/tenants/${tenantId}/statement?format=csv`}>
          All of it as CSV
        </Anchor>
      }
    >
      <Answered query={statement}>
        {(answer) =>
          typeof answer === 'string' || answer.items.length === 0 ? (
            <Empty title="Nothing was booked yet">The first line comes with the first job that starts.</Empty>
          ) : (
            <>
              <DataTable
                caption="The money ledger, newest first"
                columns={columns}
                rows={answer.items}
                keyOf={({ id }) => id}
              />
              <Pager
                trail={trail}
                nextCursor={answer.nextCursor}
                perPage={perPage}
                shown={answer.items.length}
                onTurn={setTrail}
              />
            </>
          )
        }
      </Answered>
    </Section>
  );
}
