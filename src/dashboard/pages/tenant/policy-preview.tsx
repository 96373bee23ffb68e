import { Text } from '@mantine/core';
import type { Simulation, SimulationOutcome } from '../../../../infra/cli/generated/api.ts';
import { CsvButton } from '../../parts/csv-button.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { count, duration, percent, usd } from '../../parts/format.ts';
import { Section } from '../../parts/section.tsx';
import { useTenantNames } from '../../parts/tenant-names.ts';
import { concernedBy } from './concerned-by.ts';

type Row = { name: string; recorded: string; was: string; would: string };

const columns: Column<Row>[] = [
  { name: 'What', isHeader: true, show: ({ name }) => name, value: ({ name }) => name },
  { name: 'As it was', isNumber: true, show: ({ recorded }) => recorded, value: ({ recorded }) => recorded },
  { name: 'Replayed as things are', isNumber: true, show: ({ was }) => was, value: ({ was }) => was },
  {
    name: 'Under this policy',
    isNumber: true,
    show: ({ was, would }) => <Changed was={was} would={would} />,
    value: ({ would }) => would,
  },
];

function Changed({ was, would }: { was: string; would: string }) {
  return was === would ? would : <b>{would}</b>;
}

/** The last week beside what it would have been. */
export function PolicyPreview({ simulation, tenantId }: { simulation: Simulation; tenantId: string }) {
  const { jobs, elapsedSeconds } = simulation;
  const nameOf = useTenantNames();
  const rows = [
    ...wholeRows(simulation),
    ...concernedBy(simulation, tenantId).flatMap((id) => tenantRows(id, nameOf?.(id) ?? id, simulation)),
  ];
  return (
    <Section
      title="The last week under this policy"
      hint={`${count(jobs)} jobs replayed with the same decisions in ${duration(elapsedSeconds)}.`}
      actions={<CsvButton name="policy-preview" columns={columns} rows={rows} />}
    >
      <DataTable
        caption="What was, and what would have been"
        columns={columns}
        rows={rows}
        keyOf={({ name }) => name}
      />
      <Text size="sm" c="dimmed" mt="xs">
        Both replays take the machines that there are now, and for each job what it took; what differs between them, the
        policy does.
      </Text>
    </Section>
  );
}

function wholeRows({ recorded, baseline, simulated }: Simulation): Row[] {
  const row = (name: string, show: (outcome: SimulationOutcome) => string): Row => ({
    name,
    recorded: recorded === null ? '–' : show(recorded),
    was: baseline === null ? '–' : show(baseline),
    would: show(simulated),
  });
  return [
    row('Concentration (HHI)', ({ concentration: { hhi } }) => hhi?.toFixed(3) ?? '–'),
    row('Effective tenants', ({ concentration: { effectiveTenants } }) =>
      effectiveTenants === null ? '–' : count(effectiveTenants),
    ),
    row('Waited, median', ({ waitSeconds: { p50 } }) => seconds(p50)),
    row('Waited, nine in ten', ({ waitSeconds: { p90 } }) => seconds(p90)),
    row('Jobs that never started', ({ unstarted }) => String(unstarted)),
    row('Cost', ({ costUsd }) => usd(costUsd)),
  ];
}

function tenantRows(id: string, name: string, { recorded, baseline, simulated }: Simulation): Row[] {
  type Of = SimulationOutcome['tenants'][number];
  const ofTenant = (outcome: SimulationOutcome | null, show: (of: Of) => string): string => {
    const found = outcome?.tenants.find(({ tenant }) => tenant === id);
    return found === undefined ? '–' : show(found);
  };
  const row = (what: string, show: (of: Of) => string): Row => ({
    name: `${name}: ${what}`,
    recorded: ofTenant(recorded, show),
    was: ofTenant(baseline, show),
    would: ofTenant(simulated, show),
  });
  return [
    row('share', ({ share }) => percent(share)),
    row('waited, median', ({ waitSeconds: { p50 } }) => seconds(p50)),
    row('waited, nine in ten', ({ waitSeconds: { p90 } }) => seconds(p90)),
    row('never started', ({ unstarted }) => String(unstarted)),
  ];
}

const seconds = (value: number | null): string => (value === null ? '–' : duration(value));
