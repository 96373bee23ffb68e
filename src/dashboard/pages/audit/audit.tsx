import { Group, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, bodyOf } from '../../api/client.ts';
import { readAll } from '../../api/read-all.ts';
import { CsvButton } from '../../parts/csv-button.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { MoreButton } from '../../parts/more-button.tsx';
import { usePageTitle } from '../../parts/page-title.ts';
import { PageTitle, Section } from '../../parts/section.tsx';
import { Empty, Failing, Loading } from '../../parts/states.tsx';
import { auditColumns } from './audit-columns.tsx';

const fields = [
  { name: 'action', label: 'Action', placeholder: 'policy.put, or policy' },
  { name: 'actor', label: 'Who', placeholder: 'key_…, operator, oidc:…' },
  { name: 'target', label: 'On what', placeholder: 'tnt_…, key_…, pool' },
] as const;

type Filter = Partial<Record<(typeof fields)[number]['name'], string>>;

/** Who changed what. */
export function Audit() {
  usePageTitle('Audit');
  const [filter, setFilter] = useState<Filter>({});
  const [asked] = useDebouncedValue(filter, 300);
  const given = Object.entries(asked).map(([name, value]) => [name, value.trim()] as const);
  const query = Object.fromEntries(given.filter(([, value]) => value !== ''));
  const readEntries = (page: { limit: number; cursor?: string }) =>
    bodyOf(api.GET('/v1/audit', { params: { query: { ...query, ...page } } }));
  const audit = useInfiniteQuery({
    queryKey: ['get', '/v1/audit', query],
    queryFn: ({ pageParam }) => readEntries({ limit: 100, ...pageParam }),
    initialPageParam: {},
    getNextPageParam: ({ nextCursor }) => (nextCursor === null ? undefined : { cursor: nextCursor }),
  });
  const rows = audit.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <>
      <PageTitle title="Audit" hint="Who changed what, the newest first. Nothing is ever taken out of it." />
      <Section
        title="Entries"
        actions={<CsvButton name="audit" columns={auditColumns} rows={() => readAll(readEntries)} />}
      >
        <Group component="search" mb="md" align="flex-end">
          {fields.map(({ name, label, placeholder }) => (
            <TextInput
              key={name}
              type="search"
              size="xs"
              label={label}
              placeholder={placeholder}
              value={filter[name] ?? ''}
              onChange={(event) => setFilter({ ...filter, [name]: event.currentTarget.value })}
            />
          ))}
        </Group>
        {audit.data === undefined &&
          (audit.error === null ? <Loading /> : <Failing error={audit.error} retry={audit.refetch} />)}
        {audit.data !== undefined && rows.length === 0 && <Empty title="No entry matches">Take a filter away.</Empty>}
        {rows.length > 0 && (
          <DataTable caption="Changes, newest first" columns={auditColumns} rows={rows} keyOf={({ id }) => id} />
        )}
        <MoreButton query={audit}>Show older ones</MoreButton>
      </Section>
    </>
  );
}
