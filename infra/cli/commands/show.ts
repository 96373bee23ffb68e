import { formatUsd } from '../../../src/core/money.ts';
import { formatDuration } from '../../../src/core/time.ts';
import { answer } from '../api.ts';
import { bar } from '../bar.ts';
import type { Attempt, Job, QuoteOption } from '../generated/api.ts';
import { isTerminal, note, print, printJson } from '../screen.ts';
import { connect, jobIdOf, type Flags } from '../session.ts';
import { shellWord } from '../shell-word.ts';
import { doneOf, stateCell, stateStyle } from '../standing.ts';
import { fields, table, textOf, type Cell } from '../table.ts';
import { costOf, machines, range, when } from '../words.ts';

const barColumns = 24;

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

type Fact = [name: string, value: Cell | undefined];

function factsOf(job: Job): Fact[] {
  const { id, name, tenant, state, reason, message, spec } = job;
  return [
    ['job', id],
    ['name', name],
    ['tenant', tenant],
    [
      'state',
      { text: `${textOf(stateCell(state))}${reason === null ? '' : ` (${reason})`}`, style: stateStyle(state) },
    ],
    ['', message ?? undefined],
    ['command', typeof spec.command === 'string' ? spec.command : spec.command.map(shellWord).join(' ')],
    ...waitingOf(job),
    ...progressOf(job),
    ...tasksOf(job),
    ...moneyOf(job),
    ['submitted', when(job.createdAt)],
    ['started', when(job.startedAt)],
    ['finished', when(job.finishedAt)],
  ];
}

function waitingOf({ waiting }: Job): Fact[] {
  if (waiting === undefined) return [];
  const { position, blockers, eta } = waiting;
  return [
    ['place in queue', position === null ? undefined : String(position)],
    ['waits for', blockers.map(({ message }) => message).join(' ')],
    ['expected start', when(eta.p50)],
  ];
}

function progressOf({ progress }: Job): Fact[] {
  if (progress === undefined) return [];
  const { done, total, unit, eta } = progress;
  const share = doneOf(progress);
  const drawn = share === undefined || !isTerminal ? '' : `${bar(share, barColumns)} ${Math.floor(100 * share)} %  `;
  return [
    ['progress', done === null ? '' : `${drawn}${done}${total === null ? '' : ` of ${total}`} ${unit ?? ''}`.trimEnd()],
    ['expected end', when(eta.p50)],
  ];
}

function tasksOf({ tasks }: Job): Fact[] {
  if (tasks === undefined) return [];
  const { total, ...counts } = tasks;
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return [['tasks', `${total}: ${some.map(([state, count]) => `${count} ${state}`).join(', ')}`]];
}

/** What it costs, and what it was to cost and take by its quote. */
function moneyOf(job: Job): Fact[] {
  const { cost } = job;
  const option = optionOf(job);
  const paid = cost.finalUsd === null ? `${costOf(job)} so far, ${formatUsd(cost.reservedUsd)} reserved` : costOf(job);
  const ofQuote =
    option === undefined || !isTerminal ? '' : meter(cost.finalUsd ?? cost.accruedUsd, option.costUsd.p90);
  return [
    ['cost', paid + ofQuote],
    ['residual cost', (cost.residualUsd ?? 0) > 0 ? `${formatUsd(cost.residualUsd ?? 0)}, the operator’s` : undefined],
    ['quoted cost', option === undefined ? undefined : range(option.costUsd, formatUsd)],
    ['quoted time', option === undefined ? undefined : range(option.durationSeconds, formatDuration)],
  ];
}

function meter(usd: number, p90Usd: number): string {
  return p90Usd === 0
    ? ''
    : `  ${bar(usd / p90Usd, barColumns)} ${Math.round((100 * usd) / p90Usd)} % of the quote’s p90`;
}

/** The option it runs on, or else the one it was first to run on. */
function optionOf({ quote, attempts }: Job): QuoteOption | undefined {
  const offerId = attempts.at(-1)?.offer.id;
  const { options = [], recommended } = quote ?? {};
  return options.find(({ offer }) => offer.id === offerId) ?? options.find(({ id }) => id === recommended);
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
