import type { Attempt } from '../../../../infra/cli/generated/api.ts';
import { CsvButton } from '../../parts/csv-button.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { machines, usd } from '../../parts/format.ts';
import { Moment } from '../../parts/moment.tsx';
import { Section } from '../../parts/section.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';

const columns: Column<Attempt>[] = [
  { name: 'Attempt', isHeader: true, show: ({ number }) => number, value: ({ number }) => number },
  { name: 'State', show: ({ state }) => <StateBadge state={state} />, value: ({ state }) => state },
  {
    name: 'Machine',
    show: ({ offer, instance }) => (
      <>
        {machineOf(offer)}
        <br />
        <code>{instance ?? 'none yet'}</code>
      </>
    ),
    value: ({ instance }) => instance,
  },
  {
    name: 'Why it ended',
    width: '28%',
    show: ({ message, reason }) => message ?? reason ?? '–',
    value: ({ reason }) => reason,
  },
  { name: 'Exit code', isNumber: true, show: ({ exitCode }) => exitCode ?? '–', value: ({ exitCode }) => exitCode },
  { name: 'Started', show: ({ startedAt }) => <Moment at={startedAt} />, value: ({ startedAt }) => startedAt },
  { name: 'Ended', show: ({ finishedAt }) => <Moment at={finishedAt} />, value: ({ finishedAt }) => finishedAt },
  { name: 'Cost', isNumber: true, show: ({ costUsd }) => usd(costUsd), value: ({ costUsd }) => costUsd },
  {
    name: 'Residual',
    isNumber: true,
    show: ({ residualUsd }) => usd(residualUsd),
    value: ({ residualUsd }) => residualUsd,
  },
];

export function machineOf({ accelerators, nodes, provider, region, market }: Attempt['offer']): string {
  return `${machines(accelerators.count * nodes, accelerators.kind)} of ${provider} in ${region}, ${market}`;
}

export function Attempts({ attempts }: { attempts: Attempt[] }) {
  if (attempts.length === 0) return null;
  return (
    <Section
      title="Attempts"
      hint="Residual is what a machine cost after the job had left it; the operator bears it."
      actions={<CsvButton name="attempts" columns={columns} rows={attempts} />}
    >
      <DataTable
        caption="Each machine that the job had"
        columns={columns}
        rows={attempts}
        keyOf={({ number }) => String(number)}
      />
    </Section>
  );
}
