import { formatUsd } from '../../../src/core/money.ts';
import { formatDuration } from '../../../src/core/time.ts';
import { answer } from '../api.ts';
import type { Attempt, Job } from '../generated/api.ts';
import { fields, isTerminal, note, print, printJson, table } from '../screen.ts';
import { connect, jobIdOf, type Flags } from '../session.ts';
import { costOf, machines, range, when } from '../words.ts';

export async function show(given: string, flags: Flags): Promise<void> {
  const session = await connect(flags);
  const path = { job: await jobIdOf(session, given) };
  const job = await answer(session.api.GET('/v1/jobs/{job}', { params: { path } }));
  if (flags.json === true) return printJson(job);
  fields(factsOf(job));
  if (isTerminal && job.attempts.length > 0) {
    print();
    table(['attempt', 'state', 'machine', 'provider', 'took', 'exit', 'cost', ''], job.attempts.map(attemptRow));
  }
  note(`next: ${nextFor(job)}`);
}

function factsOf(job: Job): [string, string | undefined][] {
  const { id, name, tenant, state, reason, message, spec, cost } = job;
  return [
    ['job', id],
    ['name', name],
    ['tenant', tenant],
    ['state', reason === null ? state : `${state} (${reason})`],
    ['', message ?? undefined],
    ['command', typeof spec.command === 'string' ? spec.command : spec.command.join(' ')],
    ...waitingOf(job),
    ...progressOf(job),
    ...tasksOf(job),
    ...quotedOf(job),
    ['cost', cost.finalUsd === null ? `${costOf(job)} so far, ${formatUsd(cost.reservedUsd)} reserved` : costOf(job)],
    ['submitted', when(job.createdAt)],
    ['started', when(job.startedAt)],
    ['finished', when(job.finishedAt)],
  ];
}

function waitingOf({ waiting }: Job): [string, string][] {
  if (waiting === undefined) return [];
  return [
    ['waits for', waiting.blockers.map(({ message }) => message).join(' ')],
    ['expected start', when(waiting.eta.p50)],
  ];
}

function progressOf({ progress }: Job): [string, string][] {
  if (progress === undefined) return [];
  const { done, total, unit, eta } = progress;
  return [
    ['progress', done === null ? '' : `${done}${total === null ? '' : ` of ${total}`} ${unit ?? ''}`],
    ['expected end', when(eta.p50)],
  ];
}

function tasksOf({ tasks }: Job): [string, string][] {
  if (tasks === undefined) return [];
  const { total, ...counts } = tasks;
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return [['tasks', `${total}: ${some.map(([state, count]) => `${count} ${state}`).join(', ')}`]];
}

/** The option it runs on, or else the one it was first to run on. */
function quotedOf({ quote, attempts }: Job): [string, string][] {
  const offerId = attempts.at(-1)?.offer.id;
  const { options = [], recommended } = quote ?? {};
  const option = options.find(({ offer }) => offer.id === offerId) ?? options.find(({ id }) => id === recommended);
  if (option === undefined) return [];
  return [
    ['quoted time', range(option.durationSeconds, formatDuration)],
    ['quoted cost', range(option.costUsd, formatUsd)],
  ];
}

function attemptRow({
  number,
  state,
  offer,
  startedAt,
  finishedAt,
  exitCode,
  costUsd,
  reason,
  message,
}: Attempt): string[] {
  const seconds =
    startedAt === null
      ? undefined
      : (Date.parse(finishedAt ?? new Date().toISOString()) - Date.parse(startedAt)) / 1000;
  return [
    String(number),
    state,
    machines(offer),
    offer.provider,
    seconds === undefined ? '' : formatDuration(seconds),
    exitCode === null ? '' : String(exitCode),
    formatUsd(costUsd),
    message ?? reason ?? '',
  ];
}

function nextFor({ id, state }: Job): string {
  if (state === 'queued') return `weir why ${id}`;
  return state === 'succeeded' ? `weir artifacts ls ${id}` : `weir logs${state === 'failed' ? '' : ' -f'} ${id}`;
}
