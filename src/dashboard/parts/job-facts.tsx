import { Progress, Text } from '@mantine/core';
import type { Job, Percentiles, QuoteOption } from '../../../infra/cli/generated/api.ts';
import styles from './job-facts.module.css';
import { secondsRun, type Run } from './seconds-run.ts';
import { count, duration, percent, usd, usdRange } from './format.ts';
import { Moment, useNowMs } from './moment.tsx';

export const isEnded = ({ state }: Pick<Job, 'state'>): boolean => ['succeeded', 'failed', 'cancelled'].includes(state);

/** The option of the quote that the job runs on; before it has a machine, the recommended one. */
export function quotedOption({ quote, attempts }: Job): QuoteOption | undefined {
  const offerId = attempts.at(-1)?.offer.id;
  return quote?.options.find(({ id, offer }) =>
    offerId === undefined ? id === quote.recommended : offer.id === offerId,
  );
}

export const hasNodes = ({ attempts }: Job): boolean => (attempts.at(-1)?.offer.nodes ?? 1) > 1;

export function Took({ job }: { job: Run }) {
  const seconds = secondsRun(job, useNowMs());
  return seconds === undefined ? '–' : duration(seconds);
}

export function JobProgress({ job: { progress, name } }: { job: Pick<Job, 'progress' | 'name'> }) {
  if (progress === undefined) return <Text c="dimmed">–</Text>;
  const { done, total, unit, eta } = progress;
  const left = eta.p50 !== null && (
    <Text size="sm" c="dimmed">
      ends <Moment at={eta.p50} passed="any moment" />
    </Text>
  );
  if (done === null || total === null || total === 0)
    return (
      <div>
        <Text size="sm" c="dimmed">
          {done === null ? 'does not say how far it is' : `${count(done)} ${unit ?? ''}`}
        </Text>
        {left}
      </div>
    );
  const part = Math.min(1, done / total);
  return (
    <div>
      <Progress value={part * 100} size="sm" aria-label={`Progress of ${name}`} mb={4} mt={6} />
      <Text size="sm">
        {percent(part, 0)}
        <Text span c="dimmed">{` · ${count(done)} of ${count(total)} ${unit ?? ''}`}</Text>
      </Text>
      {left}
    </div>
  );
}

/** What it has cost, on a line from nothing to beyond the quote's p90; p10 to p90 is shaded. */
export function CostMeter({ cost, range }: { cost: Job['cost']; range: Percentiles | undefined }) {
  const actualUsd = cost.finalUsd ?? cost.accruedUsd;
  if (range === undefined) return usd(actualUsd);
  const whole = Math.max(range.p90 * 1.15, actualUsd * 1.05) || 1;
  const at = (value: number) => `${(value / whole) * 100}%`;
  return (
    <div className={styles.cost}>
      <span>
        {usd(actualUsd)}
        <Text span size="sm" c="dimmed">{` of ${usdRange(range)}`}</Text>
      </span>
      <div className={styles.range} aria-hidden="true">
        <i style={{ left: at(range.p10), width: at(range.p90 - range.p10) }} />
        <b style={{ left: at(actualUsd) }} />
      </div>
    </div>
  );
}
