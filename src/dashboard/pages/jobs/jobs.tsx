import { Button, MultiSelect, Select, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useSearchParams } from 'wouter';
import type { JobSummary } from '../../../../infra/cli/generated/api.ts';
import { api, bodyOf, queries } from '../../api/client.ts';
import { readAll } from '../../api/read-all.ts';
import { CsvButton } from '../../parts/csv-button.tsx';
import { idsOfJobs, jobColumns, JobTable } from '../../parts/job-table.tsx';
import { usePageTitle } from '../../parts/page-title.ts';
import { Pager, type Trail } from '../../parts/pager.tsx';
import { PageTitle, Section } from '../../parts/section.tsx';
import { Answered, Empty, Former } from '../../parts/states.tsx';
import { useTenantNames } from '../../parts/tenant-names.ts';
import styles from './jobs.module.css';

const perPage = 50;
const endStates = ['succeeded', 'failed', 'cancelled'];
const states = ['queued', 'provisioning', 'running', 'stopping', ...endStates];

const sorts = {
  '-createdAt': 'Newest first',
  createdAt: 'Oldest first',
  name: 'By name',
  '-finishedAt': 'Ended last',
  '-costUsd': 'Dearest first',
} as const;
type Sort = keyof typeof sorts;

type Asked = { text: string; state: string | null; tenant: string | null; sort: Sort; trail: Trail };
type Ask = (name: 'q' | 'state' | 'tenant' | 'sort' | 'trail', value: string | null) => void;

/** What is asked for and which page of it is read, which the address keeps; another question begins at its first page. */
function useAsked(): [Asked, Ask] {
  const [params, setParams] = useSearchParams();
  const ask: Ask = (name, value) =>
    setParams(
      (former) => {
        former.delete('trail');
        if (value === null || value === '') former.delete(name);
        else former.set(name, value);
        return former;
      },
      { replace: name !== 'trail' },
    );
  const sort = params.get('sort') ?? '';
  const asked = {
    text: params.get('q') ?? '',
    state: params.get('state'),
    tenant: params.get('tenant'),
    sort: sort in sorts ? (sort as Sort) : ('-createdAt' as const),
    trail: params.get('trail')?.split(',') ?? [],
  };
  return [asked, ask];
}

/** Every job there was; searched, filtered and sorted by the service, a page at a time. */
export function Jobs() {
  usePageTitle('Jobs');
  const [{ text, state, tenant, sort, trail }, ask] = useAsked();
  const [settled] = useDebouncedValue(text, 250);
  const nameOf = useTenantNames();
  const cursor = trail.at(-1);
  // The service counts what has not ended as ending last of all.
  const inStates = state ?? (sort === '-finishedAt' ? endStates.join(',') : null);
  const wanted = {
    sort,
    ...(settled === '' ? {} : { q: settled }),
    ...(inStates === null ? {} : { state: inStates }),
    ...(tenant === null ? {} : { tenant }),
  };
  const query = { ...wanted, limit: perPage, ...(cursor === undefined ? {} : { cursor }) };
  const readJobs = () =>
    readAll((page) => bodyOf(api.GET('/v1/jobs/summaries', { params: { query: { ...wanted, ...page } } })));
  const jobs = queries.useQuery(
    'get',
    '/v1/jobs/summaries',
    { params: { query } },
    { placeholderData: (former) => former },
  );
  const columns = nameOf === undefined ? jobColumns : jobColumns.toSpliced(1, 0, tenantColumn(nameOf));
  return (
    <>
      <PageTitle title="Jobs" hint="Every job there was.">
        {tenant !== null && (
          <Button size="xs" variant="light" onClick={() => ask('tenant', null)}>
            {`Of ${nameOf?.(tenant) ?? tenant}: show all`}
          </Button>
        )}
      </PageTitle>
      <Section title="Search" actions={<CsvButton name="jobs" columns={[...columns, ...idsOfJobs]} rows={readJobs} />}>
        <Filters text={text} state={state} sort={sort} ask={ask} />
        <Answered query={jobs} lines={10}>
          {({ items, nextCursor }) => (
            <Former isFormer={jobs.isPlaceholderData}>
              {items.length === 0 ? (
                <Empty title="No such job">Another name or state may find it.</Empty>
              ) : (
                <JobTable caption={sorts[sort]} jobs={items} columns={columns} />
              )}
              <Pager
                trail={trail}
                nextCursor={nextCursor}
                perPage={perPage}
                shown={items.length}
                onTurn={(next) => ask('trail', next.join(','))}
              />
            </Former>
          )}
        </Answered>
      </Section>
    </>
  );
}

function Filters({ text, state, sort, ask }: Omit<Asked, 'tenant' | 'trail'> & { ask: Ask }) {
  return (
    <div className={styles.filters}>
      <TextInput
        type="search"
        label="Name or id"
        placeholder="/"
        value={text}
        onChange={(event) => ask('q', event.currentTarget.value)}
      />
      <MultiSelect
        label="State"
        placeholder={state === null ? 'any' : ''}
        data={states}
        value={state === null ? [] : state.split(',')}
        onChange={(chosen) => ask('state', chosen.join(','))}
        clearable
      />
      <Select
        label="Order"
        data={Object.entries(sorts).map(([value, label]) => ({ value, label }))}
        value={sort}
        allowDeselect={false}
        onChange={(chosen) => ask('sort', chosen === '-createdAt' ? null : chosen)}
      />
    </div>
  );
}

function tenantColumn(nameOf: (id: string) => string) {
  return {
    name: 'Tenant',
    show: ({ tenant }: JobSummary) => nameOf(tenant),
    value: ({ tenant }: JobSummary) => nameOf(tenant),
  };
}
