import { Text } from '@mantine/core';
import type { Job, Percentiles } from '../../../../infra/cli/generated/api.ts';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { duration, usd } from '../../parts/format.ts';
import { isEnded, quotedOption } from '../../parts/job-facts.tsx';
import { useNowMs } from '../../parts/moment.tsx';
import { secondsRun } from '../../parts/seconds-run.ts';
import { Section } from '../../parts/section.tsx';
import { Empty } from '../../parts/states.tsx';

type Row = { name: string; show: (value: number) => string; range: Percentiles; actual: number | undefined };

/** What was promised beside what happened. */
export function AgainstQuote({ job }: { job: Job }) {
  const seconds = secondsRun(job, useNowMs());
  const option = quotedOption(job);
  if (option === undefined)
    return (
      <Section title="Quote against actual">
        <Empty title="This job was not quoted" />
      </Section>
    );
  const rows: Row[] = [
    { name: 'Duration', show: duration, range: option.durationSeconds, actual: seconds },
    {
      name: 'Cost',
      show: usd,
      range: option.costUsd,
      actual: seconds === undefined ? undefined : (job.cost.finalUsd ?? job.cost.accruedUsd),
    },
  ];
  const columns: Column<Row>[] = [
    { name: 'What', isHeader: true, show: ({ name }) => name },
    {
      name: 'Quoted',
      show: ({ show, range }) => (
        <>
          {show(range.p50)}
          <Text size="sm" c="dimmed">{`${show(range.p10)} to ${show(range.p90)}`}</Text>
        </>
      ),
    },
    {
      name: 'Actual',
      isNumber: true,
      show: ({ show, actual }) => (actual === undefined ? '–' : show(actual)),
    },
    { name: 'Verdict', show: (row) => verdict(row, isEnded(job)) },
  ];
  const { assumptions, basis } = job.quote?.workload ?? { assumptions: [], basis: '' };
  return (
    <Section title="Quote against actual" hint="In eight of ten cases it should lie between p10 and p90.">
      <DataTable
        caption="What was most likely, from p10 to p90, and what came"
        columns={columns}
        rows={rows}
        keyOf={({ name }) => name}
      />
      <details>
        <summary>
          <Text span size="sm">{`What the quote rests on: ${basis}`}</Text>
        </summary>
        <ul>
          {assumptions.map((assumption) => (
            <li key={assumption}>
              <Text size="sm" c="dimmed">
                {assumption}
              </Text>
            </li>
          ))}
        </ul>
      </details>
    </Section>
  );
}

function verdict({ actual, range: { p10, p90 } }: Row, isFinal: boolean): string {
  if (actual === undefined) return 'not started';
  if (actual > p90) return 'above the range';
  if (actual >= p10) return 'inside the range';
  return isFinal ? 'below the range' : 'still below the range';
}
