import type { JobSummary } from '../protocol/job.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Offer } from '../protocol/quote.ts';
import type { ListedJob } from './summary-store.ts';
import { jobView } from './view.ts';

/** A job as a list shows it. */
export function summaryOf(row: ListedJob, now: Date): JobSummary {
  const { spec: _spec, quote: _quote, attempts, ...view } = jobView(row, now);
  const offer = row.attempts.at(-1)?.offer as unknown as Offer | undefined;
  const { labels = {} } = row.spec as unknown as Pick<JobSpec, 'labels'>;
  return {
    ...view,
    priority: row.priority,
    labels,
    attempts: attempts.length,
    accelerators: acceleratorsOf(offer ?? row.first),
    machine: offer === undefined ? null : machineOf(offer),
    quoted: row.first && { costUsd: row.first.costUsd, durationSeconds: row.first.durationSeconds },
  };
}

function acceleratorsOf(machine: Pick<Offer, 'accelerators' | 'nodes'> | null): JobSummary['accelerators'] {
  return machine && { kind: machine.accelerators.kind, count: machine.accelerators.count * machine.nodes };
}

function machineOf({ provider, zone, region, machineType }: Offer): JobSummary['machine'] {
  return { provider, zone: zone ?? region, machineType };
}
