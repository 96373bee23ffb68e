import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'wouter';
import type { QuoteOutcome } from '../../../../infra/cli/generated/api.ts';
import { api, bodyOf, queries } from '../../api/client.ts';
import { readAll } from '../../api/read-all.ts';
import { seriesColour } from '../../charts/colours.ts';
import { Scatter, type Outcome } from '../../charts/scatter.tsx';
import { ChartSection } from '../../parts/chart-section.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { duration, usd } from '../../parts/format.ts';
import { Moment } from '../../parts/moment.tsx';
import { Answered } from '../../parts/states.tsx';

type Measure = 'duration' | 'cost';
type By = 'accelerator' | 'basis';

const newest = 500;

const columns: Column<QuoteOutcome>[] = [
  {
    name: 'Job',
    isHeader: true,
    show: ({ job, name }) => <Link href={`/jobs/${job}`}>{name}</Link>,
    value: ({ job }) => job,
  },
  { name: 'Accelerator', show: ({ accelerator }) => accelerator, value: ({ accelerator }) => accelerator },
  { name: 'Basis', show: ({ basis }) => basis, value: ({ basis }) => basis },
  {
    name: 'Predicted duration',
    isNumber: true,
    show: ({ durationSeconds }) => duration(durationSeconds.predicted),
    value: ({ durationSeconds }) => durationSeconds.predicted,
  },
  {
    name: 'Duration',
    isNumber: true,
    show: ({ durationSeconds }) => duration(durationSeconds.actual),
    value: ({ durationSeconds }) => durationSeconds.actual,
  },
  {
    name: 'Predicted cost',
    isNumber: true,
    show: ({ costUsd }) => usd(costUsd.predicted),
    value: ({ costUsd }) => costUsd.predicted,
  },
  { name: 'Cost', isNumber: true, show: ({ costUsd }) => usd(costUsd.actual), value: ({ costUsd }) => costUsd.actual },
  { name: 'Finished', show: ({ finishedAt }) => <Moment at={finishedAt} />, value: ({ finishedAt }) => finishedAt },
];

const readOutcomes = () => readAll((query) => bodyOf(api.GET('/v1/quotes/outcomes', { params: { query } })));

/** Each finished job as a point: what was predicted for it, and what came. */
export function Outcomes() {
  const [measure, setMeasure] = useState<Measure>('duration');
  const [by, setBy] = useState<By>('accelerator');
  const outcomes = queries.useQuery('get', '/v1/quotes/outcomes', { params: { query: { limit: newest } } });
  return (
    <Answered query={outcomes}>
      {({ items, nextCursor }) => {
        const names = [...new Set(items.map((item) => item[by]))].toSorted();
        return (
          <ChartSection
            title="Predicted against actual"
            hint={`Each point is a finished job${nextCursor === null ? '' : `, of the newest ${newest}`}; on the dashed line it came as predicted, and its bar is what was said to be likely.`}
            name="quote-outcomes"
            columns={columns}
            rows={items}
            readAll={readOutcomes}
            keyOf={({ job }) => job}
            actions={
              <>
                <Choice label="Measure" values={['duration', 'cost']} value={measure} onChange={setMeasure} />
                <Choice label="Coloured by" values={['accelerator', 'basis']} value={by} onChange={setBy} />
              </>
            }
          >
            <Scatter
              label={`Predicted against actual ${measure} of ${items.length} finished jobs`}
              groups={names.map((name, at) => ({ name, colour: seriesColour(at) }))}
              outcomes={items.map((item) => outcomeOf(item, measure, names.indexOf(item[by])))}
              show={measure === 'cost' ? usd : duration}
            />
          </ChartSection>
        );
      }}
    </Answered>
  );
}

function outcomeOf(item: QuoteOutcome, measure: Measure, group: number): Outcome {
  const { job: id, name } = item;
  const show = measure === 'cost' ? usd : duration;
  const { predicted, p10, p90, actual } = measure === 'cost' ? item.costUsd : item.durationSeconds;
  const title = `${name}: ${show(predicted)} predicted, ${show(actual)} came`;
  return { id, title, group, predicted, low: p10 ?? predicted, high: p90 ?? predicted, actual };
}

type ChoiceProps<T extends string> = { label: string; values: T[]; value: T; onChange: (value: T) => void };

function Choice<T extends string>({ label, values, value, onChange }: ChoiceProps<T>) {
  return (
    <SegmentedControl
      size="xs"
      aria-label={label}
      data={values.map((each) => ({ value: each, label: each }))}
      value={value}
      onChange={(chosen) => onChange(chosen as T)}
    />
  );
}
