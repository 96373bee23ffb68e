import { SegmentedControl, Text } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Instance } from '../../../../infra/cli/generated/api.ts';
import { api, bodyOf, queries } from '../../api/client.ts';
import { readAll } from '../../api/read-all.ts';
import { CsvButton } from '../../parts/csv-button.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { count, duration, usd } from '../../parts/format.ts';
import { MoreButton } from '../../parts/more-button.tsx';
import { Moment } from '../../parts/moment.tsx';
import { Figures, Section } from '../../parts/section.tsx';
import { Answered, Empty } from '../../parts/states.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import styles from './instances.module.css';

const perPage = 1000;
const states = { live: 'requested,booting,ready', gone: 'gone' } as const;

const columns: Column<Instance>[] = [
  {
    name: 'Instance',
    isHeader: true,
    show: ({ name, provider, zone }) => (
      <>
        <code className={styles.name}>{name}</code>
        <Text size="sm" c="dimmed">{`${provider}, ${zone}`}</Text>
      </>
    ),
    value: ({ name }) => name,
  },
  { name: 'State', show: ({ state }) => <StateBadge state={state} />, value: ({ state }) => state },
  { name: 'Machine', show: machineOf, value: machineOf },
  {
    name: 'Job',
    show: ({ job, attempt }) => <Link href={`/jobs/${job}`}>attempt {attempt}</Link>,
    value: ({ job }) => job,
  },
  {
    name: 'Age',
    isNumber: true,
    show: ({ ageSeconds }) => duration(ageSeconds),
    value: ({ ageSeconds }) => ageSeconds,
  },
  { name: 'Heard of', show: ({ heartbeatAt }) => <Moment at={heartbeatAt} />, value: ({ heartbeatAt }) => heartbeatAt },
  { name: 'Cost', isNumber: true, show: ({ costUsd }) => usd(costUsd), value: ({ costUsd }) => costUsd },
  {
    name: 'Residual',
    isNumber: true,
    show: ({ residualUsd }) => usd(residualUsd),
    value: ({ residualUsd }) => residualUsd,
  },
];

/** A file's cells hold one thing each. */
const csvColumns: Column<Instance>[] = [
  ...columns,
  { name: 'Provider', show: ({ provider }) => provider, value: ({ provider }) => provider },
  { name: 'Zone', show: ({ zone }) => zone, value: ({ zone }) => zone },
];

function machineOf({ machineType, market, accelerators: { kind, count } }: Instance): string {
  return `${machineType}, ${count} ${kind}, ${market}`;
}

/** Every machine, with what it costs while no job runs on it any more. */
export function Instances() {
  const [shown, setShown] = useState<keyof typeof states>('live');
  const instances = queries.useInfiniteQuery(
    'get',
    '/v1/instances',
    { params: { query: { state: states[shown], limit: perPage } } },
    {
      initialPageParam: null,
      getNextPageParam: ({ nextCursor }) => nextCursor,
      select: ({ pages }) => pages.flatMap(({ items }) => items),
    },
  );
  const readInstances = () =>
    readAll((page) => bodyOf(api.GET('/v1/instances', { params: { query: { state: states[shown], ...page } } })));
  return (
    <Section
      title="Instances"
      hint="Residual is what a machine costs after its job has left it, until it is gone: the operator’s, in no tenant’s cost."
      actions={
        <>
          <SegmentedControl
            size="xs"
            aria-label="Which instances"
            data={[
              { value: 'live', label: 'Live' },
              { value: 'gone', label: 'Gone' },
            ]}
            value={shown}
            onChange={(value) => setShown(value as keyof typeof states)}
          />
          <CsvButton name="instances" columns={csvColumns} rows={readInstances} />
        </>
      }
    >
      <Answered query={instances}>
        {(items) =>
          items.length === 0 ? <None shown={shown} /> : <Listed rows={items} isWhole={!instances.hasNextPage} />
        }
      </Answered>
      <MoreButton query={instances}>Show older ones</MoreButton>
    </Section>
  );
}

function None({ shown }: { shown: keyof typeof states }) {
  return shown === 'live' ? (
    <Empty title="No machine is up">Nothing costs anything now.</Empty>
  ) : (
    <Empty title="No machine is gone yet" />
  );
}

/** The sums are of the machines that are read, and say so where there are more. */
function Listed({ rows, isWhole }: { rows: Instance[]; isWhole: boolean }) {
  const newest = isWhole ? '' : `, of the newest ${count(rows.length)}`;
  const sum = (amountOf: (row: Instance) => number) => rows.reduce((total, row) => total + amountOf(row), 0);
  return (
    <>
      <Figures
        figures={[
          { name: 'Instances', value: rows.length, hint: isWhole ? undefined : 'the newest; there are more' },
          {
            name: 'Hourly',
            value: usd(sum(({ state, hourlyUsd }) => (state === 'gone' ? 0 : hourlyUsd))),
            hint: `while they are up${newest}`,
          },
          { name: 'Cost', value: usd(sum(({ costUsd }) => costUsd)), hint: `until now${newest}` },
          {
            name: 'Residual cost',
            value: usd(sum(({ residualUsd }) => residualUsd)),
            hint: `after the job’s end${newest}`,
          },
        ]}
      />
      <DataTable caption="Machines, newest first" columns={columns} rows={rows} keyOf={({ id }) => id} />
    </>
  );
}
