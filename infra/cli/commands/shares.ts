import { formatUsd } from '../../../src/core/money.ts';
import { formatCompute } from '../../../src/core/quantity.ts';
import { answer } from '../api.ts';
import { bar } from '../bar.ts';
import type { ShareReport, Shares } from '../generated/api.ts';
import { isTerminal, print, printJson } from '../screen.ts';
import { connect, type Flags } from '../session.ts';
import { fields, table, type Cell } from '../table.ts';
import { percent, when } from '../words.ts';

export async function shares(flags: Flags & { window: string; month?: string }): Promise<void> {
  const { api } = await connect(flags);
  const { window, month } = flags;
  const found =
    month === undefined
      ? await answer(api.GET('/v1/shares', { params: { query: { window } } }))
      : ((await answer(api.GET('/v1/shares/report', { params: { query: { month } } }))) as ShareReport);
  if (flags.json === true) return printJson(found);
  showTenants(found);
  if (isTerminal) showConcentration(found);
}

const barColumns = 20;

function showTenants({ tenants, unit }: Shares | ShareReport): void {
  table(
    ['tenant', 'share', ...(isTerminal ? [''] : []), 'cap', isTerminal ? 'compute' : unit, 'accelerator-hours', 'cost'],
    tenants.map(({ tenant, share, shareCap, compute, acceleratorHours, costUsd }): Cell[] => [
      tenant?.name ?? '–',
      percent(share),
      ...(isTerminal ? [drawn(share, shareCap)] : []),
      shareCap === null ? '' : percent(shareCap),
      isTerminal ? formatCompute(compute) : compute.toPrecision(3),
      acceleratorHours.toFixed(2),
      formatUsd(costUsd),
    ]),
  );
}

function drawn(share: number, cap: number | null): Cell {
  return { text: bar(share, barColumns), style: cap !== null && share > cap ? 'red' : 'cyan' };
}

function showConcentration({
  concentration: { hhi, effectiveTenants, gini, largestShare },
  total,
  window,
}: Shares | ShareReport): void {
  const figure = (value: number | null) => (value === null ? '–' : value.toFixed(2));
  print();
  fields([
    ['from', when(window.from)],
    ['to', when(window.to)],
    ['cost of all', formatUsd(total.costUsd)],
    ['HHI', figure(hhi)],
    ['effective tenants', figure(effectiveTenants)],
    ['Gini', figure(gini)],
    ['largest share', largestShare === null ? '–' : percent(largestShare)],
  ]);
}
