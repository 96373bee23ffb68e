import { formatUsd } from '../core/money.ts';
import { formatDuration } from '../core/time.ts';
import { wasteCauses, type ShareReport } from '../protocol/share.ts';

type Row = ShareReport['tenants'][number];

/** The report for people: whoever reads it need not know weir. */
export function reportMarkdown(report: ShareReport): string {
  return [
    `# Shares of compute, ${monthName(report.month)}`,
    opening(report),
    '## Who held how much',
    holders(report),
    '## How concentrated that was',
    concentrationText(report),
    '## Caps and ceilings',
    ceilingsText(report),
    '## How long jobs waited',
    waitsText(report),
    '## What came to nothing',
    wasteText(report),
    '## How this was measured',
    method(report),
    '',
  ].join('\n\n');
}

export const reportColumns = [
  'tenant',
  'name',
  'share',
  'shareCap',
  'compute',
  'acceleratorHours',
  'costUsd',
  'wastedCompute',
  'jobsStarted',
  'waitP50Seconds',
  'waitP90Seconds',
] as const;

/** A row for each tenant, those that used most first. */
export function reportRows({ tenants }: ShareReport): (string | number | null)[][] {
  return tenants.map(({ tenant, share, shareCap, compute, acceleratorHours, costUsd, wasted, wait }) => [
    tenant?.id ?? null,
    tenant?.name ?? null,
    share,
    shareCap,
    compute,
    acceleratorHours,
    costUsd,
    wasted.compute,
    wait.jobs,
    wait.p50Seconds,
    wait.p90Seconds,
  ]);
}

function opening({ window, isComplete, tenantCount, total, unit, concentration }: ShareReport): string {
  const span = `From ${window.from.slice(0, 10)} to ${isComplete ? 'the end of the month' : `${window.to.slice(0, 16).replace('T', ' ')}, as far as the month has passed`} (UTC)`;
  const used = `${plural(tenantCount, 'tenant')} shared ${amount(total.compute)} ${unit} of compute in ${amount(total.acceleratorHours)} accelerator-hours, at a cost of ${formatUsd(total.costUsd)}.`;
  if (concentration.largestShare === null)
    return `${span}, nothing was used by any of ${plural(tenantCount, 'tenant')}.`;
  return `${span}, ${used} The largest share was ${percent(concentration.largestShare)}.`;
}

function holders({ tenants, unit }: ShareReport): string {
  const rows = tenants.map((row) => [
    nameOf(row),
    percent(row.share),
    row.shareCap === null ? '' : percent(row.shareCap),
    amount(row.compute),
    amount(row.acceleratorHours),
    formatUsd(row.costUsd),
  ]);
  return table(['tenant', 'share', 'cap', unit, 'accelerator-hours', 'cost'], rows);
}

function concentrationText({ concentration, tenantCount }: ShareReport): string {
  const { hhi, effectiveTenants, gini, largestShare } = concentration;
  if (hhi === null || effectiveTenants === null || gini === null || largestShare === null)
    return 'Nothing was used, so nothing was concentrated.';
  const equal = (1 / Math.max(1, tenantCount)).toFixed(2);
  return table(
    ['figure', 'value', 'in plain words'],
    [
      ['Largest share', percent(largestShare), 'What the tenant that used most had of everything.'],
      [
        'Herfindahl–Hirschman index',
        hhi.toFixed(2),
        `The sum of all squared shares: ${equal} if all had used the same, 1 if one had used everything.`,
      ],
      [
        'Effective tenants',
        effectiveTenants.toFixed(1),
        `Compute was spread as if ${effectiveTenants.toFixed(1)} tenants had used equal parts of it; there are ${tenantCount}.`,
      ],
      ['Gini coefficient', gini.toFixed(2), '0 if all had used the same; towards 1 the more a few used of it.'],
    ],
  );
}

function ceilingsText({ tenants, ceilings, notices }: ShareReport): string {
  const capped = tenants.filter(({ shareCap }) => shareCap !== null);
  const above = capped.filter(({ cappedShare, shareCap }) => (cappedShare ?? 0) > (shareCap ?? 1));
  const caps =
    capped.length === 0
      ? 'No tenant shown here has a cap on its share.'
      : `${plural(capped.length, 'tenant')} shown here ${capped.length === 1 ? 'has' : 'have'} a cap on the share; over the month ${above.length === 0 ? 'none was above it' : `above it: ${above.map((row) => `${nameOf(row)} (${percent(row.cappedShare ?? 0)} of ${percent(row.shareCap ?? 0)})`).join(', ')}`}. An organisation’s cap counts what its teams used. A cap is held whenever a job starts, over a window of its own, so that a month may end a little above it.`;
  const pool = [
    ceilings.hhi === null ? [] : [`a Herfindahl–Hirschman index of ${ceilings.hhi}`],
    ceilings.largestShare === null ? [] : [`a largest share of ${percent(ceilings.largestShare)}`],
  ].flat();
  const ceiling = `The pool has ${pool.length === 0 ? 'no ceiling of concentration' : `a ceiling: ${pool.join(' and ')}`}.`;
  const noted = notices.map(
    ({ at, tenant, note }) => `- ${at.slice(0, 16).replace('T', ' ')}, ${escape(tenant.name)}: ${escape(note)}`,
  );
  return [caps, ceiling, noted.length === 0 ? 'No breach was recorded.' : noted.join('\n')].join('\n\n');
}

function waitsText({ tenants, wait }: ShareReport): string {
  if (wait.jobs === 0) return 'No job started.';
  const seconds = (value: number | null) => (value === null ? '' : formatDuration(value));
  const rows = tenants.map((row) => [
    nameOf(row),
    String(row.wait.jobs),
    seconds(row.wait.p50Seconds),
    seconds(row.wait.p90Seconds),
  ]);
  const all = ['all', String(wait.jobs), seconds(wait.p50Seconds), seconds(wait.p90Seconds)];
  const intro = 'From the moment a job was submitted until it first ran, of the jobs that started in this time.';
  return `${intro}\n\n${table(['tenant', 'jobs started', 'half waited at most', 'nine in ten at most'], [...rows, all])}`;
}

const wasteWords = {
  provisioning: 'machines that were paid for before the job ran',
  idle: 'machines that were still paid for after the job had ended',
  failed: 'work of jobs that failed, since they last saved it',
  preempted: 'work of jobs that had to give way, since they last saved it',
} satisfies Record<(typeof wasteCauses)[number], string>;

function wasteText({ wasted, total, unit }: ShareReport): string {
  const rows = wasteCauses.map((cause) => [
    wasteWords[cause],
    amount(wasted[cause].compute),
    total.compute > 0 ? percent(wasted[cause].compute / total.compute) : '',
    formatUsd(wasted[cause].costUsd),
  ]);
  return table(['what', unit, 'of all compute', 'cost'], rows);
}

function method({ unit }: ShareReport): string {
  return `Compute is counted in ${unit}: what a machine of 10¹⁵ operations a second at its peak does in a day. It is the peak of the machines that a tenant kept busy (dense bf16, or fp16 where there is no bf16; for CPU cores fp32) times the time it had them, so that a share means the same on every kind of machine, and not what its programs got out of them. Accelerator-hours count each accelerator, or each core where there is none. Time counts from the moment a machine was granted until it was gone, to the millisecond, from an append-only record; money is counted in millionths of a dollar, and what was refunded for faults of the infrastructure is taken off, except from the cost of what came to nothing. Tenants that used nothing count in every figure.`;
}

function nameOf({ tenant }: Row): string {
  return tenant === null ? 'another tenant' : escape(tenant.name);
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

function escape(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[\\`*_<>|[\]]/g, String.raw`\$&`);
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Three digits that count. */
function amount(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}

function monthName(month: string): string {
  return new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(
    new Date(`${month}-01T00:00:00Z`),
  );
}
