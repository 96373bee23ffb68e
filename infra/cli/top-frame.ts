import { bar, sparkline } from './bar.ts';
import type { Shares } from './generated/api.ts';
import { paint } from './screen.ts';
import { standing, stateCell } from './standing.ts';
import { tableLines, type Cell } from './table.ts';
import { activeStates, type ActiveState, type Snapshot } from './top-snapshot.ts';
import { fit, padEnd, widthOf } from './width.ts';
import { costOf, percent, when } from './words.ts';

export type View = {
  columns: number;
  rows: number;
  /** How many jobs are scrolled past. */
  offset: number;
  /** Where and as whom we look. */
  title: string;
  /** What keeps us from seeing more than the last snapshot. */
  trouble: string | undefined;
};

const shareRows = 8;
const shareBarColumns = 20;
const nameColumns = 20;
const words: Record<ActiveState, string> = {
  stopping: 'stopping',
  running: 'running',
  provisioning: 'starting',
  queued: 'queued',
};

/** The screen, line by line, none wider or more than fits. */
export function frameOf(snapshot: Snapshot, { columns, rows, offset, title, trouble }: View): string[] {
  const head = [
    headLine(snapshot, title, columns),
    trouble === undefined ? countsLine(snapshot) : paint('red', trouble),
    '',
    ...shareLines(snapshot.shares),
    '',
  ];
  const left = Math.max(2, rows - head.length - 1);
  return [...head, ...jobLines(snapshot, { offset, left, columns })].slice(0, rows).map((line) => fit(line, columns));
}

function headLine({ at }: Snapshot, title: string, columns: number): string {
  const clock = new Date(at).toLocaleTimeString('en-GB');
  const left = `${paint('bold', 'weir top')}  ${title}`;
  return `${padEnd(left, columns - widthOf(clock))}${clock}`;
}

function countsLine({ counts, shares: { concentration } }: Snapshot): string {
  const busy = activeStates.filter((state) => counts[state] !== 0);
  const jobs =
    busy.length === 0 ? ['nothing runs or waits'] : busy.map((state) => `${counts[state] ?? 'many'} ${words[state]}`);
  const { hhi, effectiveTenants } = concentration;
  const pool = hhi === null ? [] : [`HHI ${hhi.toFixed(2)}`, `${(effectiveTenants ?? 1).toFixed(1)} effective tenants`];
  return [...jobs, ...pool].join(paint('dim', '  ·  '));
}

function shareLines({ tenants, series = [] }: Shares): string[] {
  const shown = tenants.filter(({ share }) => share > 0).slice(0, shareRows);
  if (shown.length === 0) return [paint('dim', 'nobody has used anything in the last 30 days')];
  return [
    paint('dim', 'shares of the last 30 days'),
    ...shown.map(({ tenant, share, shareCap }) => {
      const name = padEnd(fit(tenant?.name ?? 'another', nameColumns), nameColumns);
      const cap = shareCap === null ? '' : paint('dim', `  cap ${percent(shareCap)}`);
      const isOver = shareCap !== null && share > shareCap;
      return `${name}  ${paint(isOver ? 'red' : 'cyan', bar(share, shareBarColumns))}  ${percent(share).padStart(7)}${cap}`;
    }),
    `${padEnd('all, day by day', nameColumns)}  ${paint('cyan', sparkline(series.map(({ compute }) => compute)))}`,
  ];
}

type Room = { offset: number; left: number; columns: number };

function jobLines({ jobs, shares }: Snapshot, { offset, left, columns }: Room): string[] {
  if (jobs.length === 0) return [paint('dim', 'no jobs')];
  const names = new Map(shares.tenants.flatMap(({ tenant }) => (tenant === null ? [] : [[tenant.id, tenant.name]])));
  const rows = jobs.map((job): Cell[] => [
    job.name,
    stateCell(job.state),
    standing(job),
    costOf(job),
    names.get(job.tenant) ?? '',
    when(job.finishedAt ?? job.startedAt ?? job.createdAt),
    job.id,
  ]);
  const fitting = left - 1;
  const from = Math.min(offset, Math.max(0, rows.length - fitting));
  const below = rows.length - from - fitting;
  const lines = tableLines(['job', 'state', '', 'cost', 'tenant', 'since', ''], rows, columns);
  const [head = '', ...body] = lines;
  return [
    head,
    ...body.slice(from, from + fitting - (below > 0 ? 1 : 0)),
    ...(below > 0 ? [paint('dim', `and ${below + 1} more: ↓ shows them`)] : []),
  ];
}
