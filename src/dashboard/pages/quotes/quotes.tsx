import type { QuoteAccuracy } from '../../../../infra/cli/generated/api.ts';
import { queries } from '../../api/client.ts';
import { count } from '../../parts/format.ts';
import { usePageTitle } from '../../parts/page-title.ts';
import { Columns, Figures, PageTitle } from '../../parts/section.tsx';
import { Answered, Empty } from '../../parts/states.tsx';
import { ErrorByGroup } from './error-by-group.tsx';
import { ErrorOverTime } from './error-over-time.tsx';
import { Outcomes } from './outcomes.tsx';
import { percentOf } from './percent-of.ts';

/** How wrong the quotes were. */
export function Quotes() {
  usePageTitle('Quotes');
  const accuracy = queries.useQuery('get', '/v1/quotes/accuracy');
  return (
    <>
      <PageTitle title="Quotes" hint="What was predicted, what came, and how often it came within the range." />
      <Answered query={accuracy} lines={12}>
        {(answer) =>
          answer.finishedJobs === 0 ? <NothingYet quotes={answer.quotes} /> : <Measured accuracy={answer} />
        }
      </Answered>
    </>
  );
}

function NothingYet({ quotes }: { quotes: number }) {
  return (
    <Empty title="No quoted job has finished yet">
      {quotes === 0 ? 'Nothing was quoted so far.' : `${count(quotes)} were quoted.`} With the first job that succeeds,
      this page compares its quote with what came.
    </Empty>
  );
}

function Measured({ accuracy }: { accuracy: QuoteAccuracy }) {
  const { quotes, finishedJobs, duration, cost, byAccelerator, byBasis, overTime } = accuracy;
  return (
    <>
      <Figures
        figures={[
          { name: 'Quotes', value: count(quotes), hint: `${count(finishedJobs)} of their jobs have finished` },
          {
            name: 'Median error',
            value: percentOf(cost.medianErrorPercent),
            hint: `of the cost; ${percentOf(duration.medianErrorPercent)} of the duration`,
          },
          {
            name: 'Within p10 to p90',
            value: percentOf(cost.coveragePercent),
            hint: `of the costs; ${percentOf(duration.coveragePercent)} of the durations. 80 % is as promised`,
          },
          {
            name: 'Bias',
            value: percentOf(cost.biasPercent),
            hint: 'of the cost: above 0, quotes were too high',
          },
        ]}
      />
      <Outcomes />
      <ErrorOverTime days={overTime} />
      <Columns>
        <ErrorByGroup
          title="By accelerator"
          of="Accelerator"
          rows={byAccelerator.map(({ accelerator, ...figures }) => ({ group: accelerator, ...figures }))}
        />
        <ErrorByGroup
          title="By basis"
          of="Basis"
          rows={byBasis.map(({ basis, ...figures }) => ({ group: basis, ...figures }))}
        />
      </Columns>
    </>
  );
}
