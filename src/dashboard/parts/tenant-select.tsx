import { Select, type SelectProps } from '@mantine/core';
import { useTenants } from './tenant-names.ts';

/** So many are offered at once; the others are found by typing. */
const mostOffered = 100;

/** One of all tenants, for an operator. */
export function TenantSelect(props: Omit<SelectProps<string>, 'data'>) {
  const data = (useTenants() ?? []).map(({ id, name }) => ({ value: id, label: name }));
  return <Select {...props} searchable limit={mostOffered} data={data} />;
}
