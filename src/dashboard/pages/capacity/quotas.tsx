import { Anchor, Progress, Text } from '@mantine/core';
import type { ProviderQuota, UnknownQuota } from '../../../../infra/cli/generated/api.ts';
import { CsvButton } from '../../parts/csv-button.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { count } from '../../parts/format.ts';
import { Moment } from '../../parts/moment.tsx';
import { Section } from '../../parts/section.tsx';
import { Empty } from '../../parts/states.tsx';

const columns: Column<ProviderQuota>[] = [
  { name: 'Quota', isHeader: true, width: '26%', show: linked, value: ({ metric }) => metric },
  { name: 'Where', show: placeOf, value: placeOf },
  { name: 'Counts', show: waresOf, value: waresOf },
  { name: 'Used', width: '24%', show: (quota) => <Used quota={quota} />, value: ({ used }) => used },
  { name: 'Limit', isNumber: true, show: ({ limit, unit }) => `${count(limit)} ${unit}`, value: ({ limit }) => limit },
  { name: 'By others', isNumber: true, show: (row) => count(row.usedByOthers), value: (row) => row.usedByOthers },
  { name: 'Read', show: ({ readAt }) => <Moment at={readAt} />, value: ({ readAt }) => readAt },
];

function linked({ metric, raiseAt }: ProviderQuota) {
  return (
    <Anchor href={raiseAt} size="sm" target="_blank" rel="noreferrer">
      {metric}
    </Anchor>
  );
}

function placeOf({ provider, region }: Pick<ProviderQuota, 'provider' | 'region'>): string {
  return `${provider}, ${region ?? 'all regions'}`;
}

function waresOf({ kind, unit, markets }: ProviderQuota): string {
  return [kind ?? `${unit} of several kinds`, ...markets].join(', ');
}

function Used({ quota: { metric, used, limit, unit } }: { quota: ProviderQuota }) {
  const part = limit === 0 ? 1 : Math.min(1, used / limit);
  return (
    <div>
      <Progress value={part * 100} size="sm" mb={4} mt={6} aria-label={`Used of ${metric}`} />
      <Text size="sm">{`${count(used)} of ${count(limit)} ${unit}`}</Text>
    </div>
  );
}

const unknownColumns: Column<UnknownQuota>[] = [
  { name: 'Where', isHeader: true, show: placeOf, value: placeOf },
  { name: 'What', show: machinesOf, value: machinesOf },
  { name: 'Why', width: '60%', show: ({ message }) => message, value: ({ message }) => message },
];

function machinesOf({ kind, market }: UnknownQuota): string {
  return [kind ?? 'all machines', market].filter((part) => part !== null).join(', ');
}

type QuotasProps = { quotas: ProviderQuota[]; unknown: UnknownQuota[] };

/** What the operator's accounts may have at once: those that are fullest first, and those that nobody knows. */
export function Quotas({ quotas, unknown }: QuotasProps) {
  const fullness = ({ used, limit }: ProviderQuota) => (limit === 0 ? 1 : used / limit);
  const rows = quotas.toSorted((a, b) => fullness(b) - fullness(a) || a.metric.localeCompare(b.metric));
  return (
    <Section
      title="Quotas"
      hint="Of your accounts with clouds. No more is started than they leave; each name leads to where you ask for more."
      actions={<CsvButton name="quotas" columns={columns} rows={rows} />}
    >
      {rows.length === 0 ? (
        <Empty title="No quota is known">A quota shows here once a cloud is connected and has said what it is.</Empty>
      ) : (
        <DataTable
          caption="What the account may have, and what of it is used"
          columns={columns}
          rows={rows}
          keyOf={(row) => `${placeOf(row)} ${row.metric}`}
        />
      )}
      {unknown.length > 0 && (
        <DataTable
          caption="Machines whose quota is known only once it was reached"
          columns={unknownColumns}
          rows={unknown}
          keyOf={(row) => `${placeOf(row)} ${machinesOf(row)}`}
        />
      )}
    </Section>
  );
}
