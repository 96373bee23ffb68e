import { Progress, Text } from '@mantine/core';
import type { ProviderCapacity } from '../../../../infra/cli/generated/api.ts';
import { CsvButton } from '../../parts/csv-button.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { bytes, count } from '../../parts/format.ts';
import { Section } from '../../parts/section.tsx';
import { Empty } from '../../parts/states.tsx';

const columns: Column<ProviderCapacity>[] = [
  { name: 'Provider', isHeader: true, show: ({ provider }) => provider, value: ({ provider }) => provider },
  {
    name: 'Accelerators held',
    show: ({ held }) =>
      held.length === 0 ? 'none' : held.map(({ kind, count: amount }) => `${count(amount)} ${kind}`).join(', '),
    value: ({ held }) => held.map(({ kind, count: amount }) => `${amount} ${kind}`).join('; '),
  },
  {
    name: 'Cores free',
    width: '24%',
    show: (provider) => <Free provider={provider} of="cpus" show={count} />,
    value: ({ free }) => free?.cpus ?? null,
  },
  {
    name: 'Memory free',
    width: '24%',
    show: (provider) => <Free provider={provider} of="memoryBytes" show={bytes} />,
    value: ({ free }) => free?.memoryBytes ?? null,
  },
  {
    name: 'GPUs free',
    isNumber: true,
    show: ({ whole, free }) => (whole && free ? gpusOf(whole, free) : 'not limited'),
    value: ({ free }) => free?.accelerators.count ?? null,
  },
  { name: 'Instances', isNumber: true, show: ({ instances }) => instances, value: ({ instances }) => instances },
];

type Resources = NonNullable<ProviderCapacity['whole']>;

function gpusOf(whole: Resources, free: Resources): string {
  const { kind, count: all } = whole.accelerators;
  return all === 0 ? 'has none' : `${free.accelerators.count} of ${all} ${kind}`;
}

type FreeProps = { provider: ProviderCapacity; of: 'cpus' | 'memoryBytes'; show: (amount: number) => string };

function Free({ provider: { provider, whole, free }, of, show }: FreeProps) {
  if (whole === null || free === null) return <Text c="dimmed">not limited</Text>;
  const part = whole[of] === 0 ? 0 : free[of] / whole[of];
  return (
    <div>
      <Progress value={(1 - part) * 100} size="sm" mb={4} mt={6} aria-label={`Held of ${provider}, ${of}`} />
      <Text size="sm">{`${show(free[of])} of ${show(whole[of])}`}</Text>
    </div>
  );
}

/** What each provider has. A cloud does not run out by itself: what its account may have is under quotas. */
export function Providers({ providers }: { providers: ProviderCapacity[] }) {
  return (
    <Section
      title="Providers"
      hint="What a cloud gives is under quotas, and what it had none of under shortages."
      actions={<CsvButton name="capacity" columns={columns} rows={providers} />}
    >
      {providers.length === 0 ? (
        <Empty title="No provider is connected">docs/providers.md says how to connect one.</Empty>
      ) : (
        <DataTable
          caption="What each provider has and what is free"
          columns={columns}
          rows={providers}
          keyOf={({ provider }) => provider}
        />
      )}
    </Section>
  );
}
