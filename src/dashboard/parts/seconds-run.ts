import type { Job } from '../../../infra/cli/generated/api.ts';

type Stretch = Pick<Job, 'startedAt' | 'finishedAt'>;

/** What runs; with its attempts, where more is known of them than how many there were. */
export type Run = Stretch & { attempts?: readonly Stretch[] | number };

/** How long it has run, or ran: on machines where that is known, without the time in the queue after an eviction. */
export function secondsRun(run: Run, nowMs: number): number | undefined {
  if (run.startedAt === null) return undefined;
  const stretches = typeof run.attempts === 'object' && run.attempts.length > 0 ? run.attempts : [run];
  return stretches.reduce((sum, stretch) => sum + secondsOf(stretch, nowMs), 0);
}

function secondsOf({ startedAt, finishedAt }: Stretch, nowMs: number): number {
  if (startedAt === null) return 0;
  return Math.max(0, ((finishedAt === null ? nowMs : Date.parse(finishedAt)) - Date.parse(startedAt)) / 1000);
}
