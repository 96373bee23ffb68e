import { styleText } from 'node:util';
import { formatUsd } from '../../src/core/money.ts';
import { formatDuration } from '../../src/core/time.ts';
import type { Artifact, Job } from '../../src/protocol/job.ts';
import type { Quote } from '../../src/protocol/quote.ts';
import type { Shares } from '../../src/protocol/share.ts';

/** What the quickstart prints. */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

export const title = (text: string) => print(`\n${styleText('bold', text)}`);
export const faint = (text: string) => styleText('dim', text);

/** Rows in columns as wide as their widest cell; numbers to the right. */
export function table(head: string[], rows: string[][]): void {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]) =>
    `  ${row.map((cell, column) => (/^[$\d]/.test(cell) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join('   ')}`;
  print(faint(line(head)));
  for (const row of rows) print(line(row));
}

const seconds = (value: number) => formatDuration(value);
const range = ({ p10, p50, p90 }: { p10: number; p50: number; p90: number }, show: (value: number) => string) => [
  show(p10),
  show(p50),
  show(p90),
];

export function printQuote(quote: Quote): void {
  const option = quote.options.find(({ id }) => id === quote.recommended);
  if (option === undefined) return print('  No offer can run this job.');
  const { offer } = option;
  print(
    `  ${offer.accelerators.count * offer.nodes} × ${offer.accelerators.kind} on ${offer.provider} (${offer.machineType}), ${formatUsd(offer.hourlyUsd)} an hour`,
  );
  if (quote.workload.flops !== null)
    print(`  ${quote.workload.flops.toExponential(2)} FLOP of work, from ${quote.workload.basis}`);
  table(
    ['', 'p10', 'p50', 'p90'],
    [
      ['duration', ...range(option.durationSeconds, seconds)],
      ['cost', ...range(option.costUsd, formatUsd)],
    ],
  );
}

export function printArtifacts(artifacts: Artifact[]): void {
  table(
    ['path', 'bytes', 'sha256'],
    artifacts.map(({ path, sizeBytes, sha256 }) => [path, String(sizeBytes), `${sha256.slice(0, 16)}…`]),
  );
}

/** What it took against what was quoted. */
export function printCost({ quote, cost, attempts, startedAt, finishedAt }: Job): void {
  const option = quote?.options.find(({ offer }) => offer.id === attempts.at(-1)?.offer.id);
  if (option === undefined || startedAt === null || finishedAt === null) return;
  const took = (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
  const within = (actual: number, { p10, p90 }: { p10: number; p90: number }) =>
    actual >= p10 && actual <= p90 ? 'inside p10 to p90' : 'outside p10 to p90';
  table(
    ['', 'quoted p50', 'actual', ''],
    [
      ['duration', seconds(option.durationSeconds.p50), seconds(took), within(took, option.durationSeconds)],
      [
        'cost',
        formatUsd(option.costUsd.p50),
        formatUsd(cost.finalUsd ?? 0),
        within(cost.finalUsd ?? 0, option.costUsd),
      ],
    ],
  );
}

export function printShares({ tenants, concentration, unit }: Shares): void {
  const bar = (share: number) => '█'.repeat(Math.round(share * 20)).padEnd(20, '·');
  table(
    ['tenant', 'share', '', unit, 'cost'],
    tenants.map(({ tenant, share, compute, costUsd }) => [
      tenant?.name ?? '–',
      `${(share * 100).toFixed(1)} %`,
      bar(share),
      compute.toExponential(2),
      formatUsd(costUsd),
    ]),
  );
  const { hhi, effectiveTenants, gini, largestShare } = concentration;
  const show = (value: number | null) => (value === null ? '–' : value.toFixed(2));
  print(
    `  concentration: HHI ${show(hhi)}, ${show(effectiveTenants)} effective tenants, Gini ${show(gini)}, largest share ${show(largestShare)}`,
  );
}

/** `[██████····] 3,000 of 50,000 examples, about 4 s left`; on a terminal the line is rewritten in place. */
export function progressLine({ progress }: Job): string | undefined {
  if (progress === undefined || progress.done === null || progress.total === null) return undefined;
  const part = Math.min(1, progress.done / progress.total);
  const left =
    progress.eta.p50 === null
      ? ''
      : `, about ${formatDuration(Math.max(0, (Date.parse(progress.eta.p50) - Date.now()) / 1000))} left`;
  return `[${'█'.repeat(Math.round(part * 24)).padEnd(24, '·')}] ${progress.done} of ${progress.total} ${progress.unit ?? ''}${left}`;
}
