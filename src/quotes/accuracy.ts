import type { Static } from 'typebox';
import { dayMs } from '../core/time.ts';
import type { Sql } from '../db/database.ts';
import type { LinearLawReport, QuoteAccuracy } from '../protocol/quote.ts';
import {
  countQuotes,
  readAccuracy,
  readScaled,
  type AccuracyRow,
  type Errors,
  type ScaledRow,
} from './accuracy-store.ts';
import { fitLinearLaw } from './linear-law.ts';

type Accuracy = Static<typeof QuoteAccuracy>;
type Law = Static<typeof LinearLawReport>;

/** So many days back the errors are shown day by day. */
const shownDays = 30;

/** How wrong the quotes were: of a tenant, or of all where `tenantId` is null. */
export async function accuracy(sql: Sql, tenantId: string | null, now: Date): Promise<Accuracy> {
  const [quotes, rows, scaled] = await Promise.all([
    countQuotes(sql, tenantId),
    readAccuracy(sql, tenantId),
    readScaled(sql, tenantId),
  ]);
  const whole = rows.find(({ kind, basis, day }) => kind === null && basis === null && day === null);
  return {
    quotes,
    ...(whole === undefined ? nothing : figuresOf(whole)),
    byAccelerator: rows.flatMap((row) => (row.kind === null ? [] : [{ accelerator: row.kind, ...figuresOf(row) }])),
    byBasis: rows.flatMap((row) => (row.basis === null ? [] : [{ basis: row.basis, ...figuresOf(row) }])),
    overTime: rows.flatMap((row) => (row.day === null ? [] : dayOf(row.day, row, now))),
    linearLaw: [...lawOf('parameters', scaled), ...lawOf('flops', scaled)],
  };
}

const nobody: Errors = { medianError: null, p90Error: null, bias: null, coverage: null };
const nothing = figuresOf({ finishedJobs: 0, duration: nobody, cost: nobody });

function figuresOf({ finishedJobs, duration, cost }: Pick<AccuracyRow, 'finishedJobs' | 'duration' | 'cost'>) {
  return { finishedJobs, duration: inPercent(duration), cost: inPercent(cost) };
}

function inPercent({ medianError, p90Error, bias, coverage }: Errors): Accuracy['duration'] {
  return {
    medianErrorPercent: percent(medianError),
    p90ErrorPercent: percent(p90Error),
    biasPercent: percent(bias),
    coveragePercent: percent(coverage),
  };
}

function percent(share: number | null): number | null {
  return share === null ? null : hundredths(100 * share);
}

const hundredths = (value: number): number => Math.round(value * 100) / 100;

function dayOf(day: Date, row: AccuracyRow, now: Date): Accuracy['overTime'] {
  const to = new Date(day.getTime() + dayMs);
  if (to.getTime() < now.getTime() - shownDays * dayMs) return [];
  return [{ from: day.toISOString(), to: to.toISOString(), ...figuresOf(row) }];
}

/** The law C = k·S and R = r·S on the jobs whose S is known, with S the model's parameters or the work in FLOP. */
function lawOf(scaledBy: 'parameters' | 'flops', rows: readonly ScaledRow[]): Law[] {
  const known = rows.flatMap((row) => {
    const scale = row[scaledBy];
    return scale === null || scale <= 0 ? [] : [{ ...row, scale }];
  });
  const cost = fitLinearLaw(known.map(({ scale, usd }) => ({ scale, amount: usd })));
  const hours = fitLinearLaw(known.map(({ scale, acceleratorHours }) => ({ scale, amount: acceleratorHours })));
  if (cost === undefined || hours === undefined) return [];
  const rounded = ({ coefficient, medianErrorPercent, p90ErrorPercent }: typeof cost) => ({
    coefficient,
    medianErrorPercent: hundredths(medianErrorPercent),
    p90ErrorPercent: hundredths(p90ErrorPercent),
  });
  return [{ scale: scaledBy, finishedJobs: known.length, costUsd: rounded(cost), acceleratorHours: rounded(hours) }];
}
