import { Alert, Radio, Text } from '@mantine/core';
import type { Quote, QuoteOption } from '../../../../infra/cli/generated/api.ts';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { duration, machines, percent, usd, usdRange } from '../../parts/format.ts';
import { Section } from '../../parts/section.tsx';
import styles from './submit.module.css';

type QuoteViewProps = { quote: Quote; optionId: string | undefined; onChoose: (optionId: string) => void };

const mostOptions = 8;

/** What the job will take and cost, on each machine that can be had; one is chosen. */
export function QuoteView({ quote, optionId, onChoose }: QuoteViewProps) {
  const feasible = quote.options.filter((option) => option.feasible);
  const options = (feasible.length > 0 ? feasible : quote.options).slice(0, mostOptions);
  const columns: Column<QuoteOption>[] = [
    {
      name: 'Machine',
      isHeader: true,
      show: (option) => (
        <Radio
          name="option"
          label={`${machines(option.offer.accelerators.count * option.offer.nodes, option.offer.accelerators.kind)}${option.id === quote.recommended ? ' (recommended)' : ''}`}
          description={`${option.offer.provider}, ${option.offer.zone ?? option.offer.region}, ${option.offer.market}`}
          checked={option.id === optionId}
          disabled={!option.feasible}
          onChange={() => onChoose(option.id)}
        />
      ),
    },
    { name: 'An hour', isNumber: true, show: ({ offer }) => usd(offer.hourlyUsd) },
    { name: 'Starts in', isNumber: true, show: ({ start }) => duration(start.p50Seconds) },
    { name: 'Takes', isNumber: true, show: ({ durationSeconds }) => duration(durationSeconds.p50) },
    {
      name: 'p10 to p90',
      isNumber: true,
      show: ({ durationSeconds: { p10, p90 } }) => `${duration(p10)} to ${duration(p90)}`,
    },
    { name: 'Costs', isNumber: true, show: ({ costUsd }) => usd(costUsd.p50) },
    { name: 'p10 to p90 of cost', isNumber: true, show: ({ costUsd }) => usdRange(costUsd) },
  ];
  const { before, after, window, cap } = quote.shareImpact;
  const { assumptions, basis } = quote.workload;
  return (
    <Section
      title="Quote"
      hint={`Of the pool you have ${percent(before)} of the last ${window}, ${percent(after)} with this job${cap === null ? '' : `; your cap is ${percent(cap, 0)}`}.`}
    >
      {feasible.length === 0 && (
        <Alert color="yellow" variant="light" title="No machine that can be had here can run this" mb="sm">
          {[...new Set(quote.options.flatMap(({ reasons }) => reasons))].slice(0, 4).map((reason) => (
            <Text key={reason} size="sm">
              {reason}
            </Text>
          ))}
        </Alert>
      )}
      <DataTable
        caption={feasible.length > 0 ? 'Where it can run' : 'Where it could run, if it could be had'}
        columns={columns}
        rows={options}
        keyOf={({ id }) => id}
      />
      <Text size="sm" fw={600} mt="sm">{`What it rests on: ${basis}`}</Text>
      <ul className={styles.assumptions}>
        {assumptions.map((assumption) => (
          <li key={assumption}>{assumption}</li>
        ))}
      </ul>
    </Section>
  );
}
