import { formatDuration } from '../../src/core/time.ts';
import type { SimulationOutcome } from '../../src/protocol/simulation.ts';
import type { Compared } from './compare.ts';

const duration = (seconds: number | null) => (seconds === null ? '–' : formatDuration(seconds));
const percent = (part: number | null) => (part === null ? '–' : `${(part * 100).toFixed(1)} %`);
const decimal = (value: number | null) => (value === null ? '–' : value.toFixed(3));

const rows: [string, (outcome: SimulationOutcome) => string][] = [
  ['jobs', ({ jobs }) => String(jobs)],
  ['never started', ({ unstarted }) => String(unstarted)],
  ['wait, mean', ({ waitSeconds }) => duration(waitSeconds.mean)],
  ['wait, p50', ({ waitSeconds }) => duration(waitSeconds.p50)],
  ['wait, p90', ({ waitSeconds }) => duration(waitSeconds.p90)],
  ['wait, p95', ({ waitSeconds }) => duration(waitSeconds.p95)],
  ['wait, p99', ({ waitSeconds }) => duration(waitSeconds.p99)],
  ['wait, longest', ({ waitSeconds }) => duration(waitSeconds.max)],
  ['makespan', ({ makespanSeconds }) => duration(makespanSeconds)],
  ['utilization', ({ utilization }) => percent(utilization)],
  ['fairness error', ({ fairnessError }) => percent(fairnessError)],
  ['HHI, of days', ({ dailyHhi }) => decimal(dailyHhi)],
  ['HHI, of all', ({ concentration: { hhi } }) => decimal(hhi)],
  ['largest share', ({ concentration: { largestShare } }) => percent(largestShare)],
  ['wasted, PFLOP/s-days', ({ wastedCompute }) => decimal(wastedCompute)],
  ['cost', ({ costUsd }) => `$${costUsd.toFixed(2)}`],
];

const shownTenants = 10;

/** One column a variant, and who used most under the first. */
export function tableOf({ variants, summary }: Compared): string {
  const lines = [
    ['', ...variants.map(({ name }) => name)],
    ...rows.map(([label, show]) => [label, ...variants.map(({ outcome }) => show(outcome))]),
  ];
  const tenants = variants[0]?.outcome.tenants.slice(0, shownTenants) ?? [];
  const byTenant = tenants.map(({ tenant, share, waitSeconds, jobs }) => [
    tenant,
    percent(share),
    String(jobs),
    duration(waitSeconds.mean),
    duration(waitSeconds.p95),
  ]);
  const count = `${summary.jobs} jobs of ${summary.tenants} tenants, replayed ${Math.round(summary.timesFasterThanReal)} times faster than real time.`;
  return `${columns(lines)}\n${columns([['tenant', 'share', 'jobs', 'mean wait', 'p95'], ...byTenant])}\n${count}\n`;
}

function columns(lines: string[][]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
