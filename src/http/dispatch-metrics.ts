import { Gauge, type Registry } from 'prom-client';
import type { Database } from '../db/database.ts';
import { readRound } from '../dispatch/record.ts';

/** The last round of dispatch, whichever process did it: in Prometheus take the `max` of the processes. */
export function observeDispatch(registry: Registry, db: Database): () => Promise<void> {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const seconds = gauge('weir_dispatch_cycle_seconds', 'How long the last round of dispatch took, database included.');
  const looked = gauge('weir_dispatch_jobs', 'Jobs in the last round of dispatch.', ['outcome']);
  const error = gauge('weir_fairness_error', 'Among tenants with jobs, |share of decayed use - share of weight|.', [
    'tenant',
  ]);
  const largest = gauge('weir_fairness_error_max', 'The largest weir_fairness_error.');
  const breach = gauge('weir_concentration_breached', '1 while a ceiling on concentration is passed.', ['figure']);
  return async () => {
    const round = await readRound(db.client).catch(() => undefined);
    if (round === undefined) return;
    seconds.set(round.seconds);
    looked.set({ outcome: 'looked' }, round.looked);
    looked.set({ outcome: 'started' }, round.started);
    looked.set({ outcome: 'preempted' }, round.preempted);
    error.reset();
    for (const each of round.fairnessError) error.set({ tenant: each.tenant }, each.error);
    largest.set(Math.max(0, ...round.fairnessError.map((each) => each.error)));
    for (const figure of ['hhi', 'largest share'] as const)
      breach.set({ figure }, round.breaches.some((each) => each.figure === figure) ? 1 : 0);
  };
}
