import { useState } from 'react';
import type { Queue as QueueAnswer } from '../../../../infra/cli/generated/api.ts';
import { api, bodyOf, queries } from '../../api/client.ts';
import { readAll } from '../../api/read-all.ts';
import { useMe } from '../../api/session.ts';
import { CsvButton } from '../../parts/csv-button.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { count, plural } from '../../parts/format.ts';
import { Moment } from '../../parts/moment.tsx';
import { usePageTitle } from '../../parts/page-title.ts';
import { Pager, type Trail } from '../../parts/pager.tsx';
import { PageTitle, Section } from '../../parts/section.tsx';
import { Answered, Empty, Former } from '../../parts/states.tsx';
import { TenantSelect } from '../../parts/tenant-select.tsx';
import { columnsOf, ids } from './queue-columns.tsx';
import { Turns } from './turns.tsx';

const perPage = 50;

/** Every waiting job with its place, its expected start, what it waits for, and why it is ahead of the next. */
export function Queue() {
  usePageTitle('Queue');
  const isOperator = useMe()?.role === 'operator';
  const [tenant, setTenant] = useState<string | null>(null);
  const [trail, setTrail] = useState<Trail>([]);
  const cursor = trail.at(-1);
  const ofTenant = tenant === null ? {} : { tenant };
  const query = { ...ofTenant, limit: perPage, ...(cursor === undefined ? {} : { cursor }) };
  const readQueue = () =>
    readAll((page) => bodyOf(api.GET('/v1/queue', { params: { query: { ...ofTenant, ...page } } })));
  const queue = queries.useQuery('get', '/v1/queue', { params: { query } }, { placeholderData: (former) => former });
  const choose = (chosen: string | null) => {
    setTrail([]);
    setTenant(chosen);
  };
  return (
    <>
      <PageTitle title="Queue" hint={<LastRound queue={queue.data} />}>
        {isOperator && (
          <TenantSelect
            size="xs"
            aria-label="Whose queue"
            placeholder="Of all tenants, what comes next"
            w={260}
            clearable
            value={tenant}
            onChange={choose}
          />
        )}
      </PageTitle>
      <Answered query={queue} lines={10}>
        {(answer) => (
          <Former isFormer={queue.isPlaceholderData}>
            <Turns tenants={answer.tenants} />
            <Section
              title={tenant === null && isOperator ? 'What starts next' : 'In order'}
              hint="By expected start. Each line says why it is ahead of the next."
              actions={<CsvButton name="queue" columns={[...columnsOf(answer.tenants), ...ids]} rows={readQueue} />}
            >
              {answer.items.length === 0 ? (
                <Empty title="Nothing waits">{tenant === null ? 'Every job has a machine.' : 'Of this tenant.'}</Empty>
              ) : (
                <DataTable
                  caption="Jobs that wait"
                  columns={columnsOf(answer.tenants)}
                  rows={answer.items}
                  keyOf={({ job }) => job.id}
                />
              )}
              <Pager
                trail={trail}
                nextCursor={answer.nextCursor}
                perPage={perPage}
                shown={answer.items.length}
                onTurn={setTrail}
              />
            </Section>
          </Former>
        )}
      </Answered>
    </>
  );
}

function LastRound({ queue }: { queue: QueueAnswer | undefined }) {
  if (queue === undefined) return null;
  const queued = queue.tenants.reduce((sum, tenant) => sum + tenant.queued, 0);
  return (
    <>
      {`${count(queued)} ${plural(queued, 'job waits', 'jobs wait')}; dispatch last looked `}
      <Moment at={queue.dispatchedAt} none="at nothing yet" />.
    </>
  );
}
