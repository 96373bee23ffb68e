import { Gauge, type Registry } from 'prom-client';
import { createCache } from '../core/cache.ts';
import type { Database } from '../db/database.ts';
import { accuracy } from '../quotes/accuracy.ts';

/** Over all finished jobs a figure moves slowly, and reading it takes a look at each of them. */
const readingMs = 60_000;

type Figures = Awaited<ReturnType<typeof accuracy>>['duration'];

/** How wrong quotes were, over all finished jobs: a quote that can't be believed should wake somebody. */
export function observeQuotes(registry: Registry, db: Database): () => Promise<void> {
  const now = () => new Date();
  const series = createSeries(registry);
  const readings = createCache(async () => show(series, await accuracy(db.client, null, now())), readingMs, now);
  // Where the database is away, the last figures stay.
  return () => readings.get('').catch(() => undefined);
}

type Series = ReturnType<typeof createSeries>;

function createSeries(registry: Registry) {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames: ['of', 'accelerator', 'basis', ...labelNames], registers: [registry] });
  return {
    error: gauge('weir_quote_error_ratio', 'Absolute error of quotes ÷ what came, by quantile of finished jobs.', [
      'quantile',
    ]),
    bias: gauge('weir_quote_bias_ratio', 'Median of (quoted − actual) ÷ actual: above 0, too long or dear.'),
    coverage: gauge('weir_quote_coverage_ratio', 'Finished jobs within their 80 % interval; 0.8 is meant.'),
  };
}

/** Of all jobs together, then by accelerator and by basis: the labels that do not apply are empty. */
function show(series: Series, { duration, cost, byAccelerator, byBasis }: Awaited<ReturnType<typeof accuracy>>): void {
  const groups = [
    { accelerator: '', basis: '', duration, cost },
    ...byAccelerator.map((row) => ({ ...row, basis: '' })),
    ...byBasis.map((row) => ({ ...row, accelerator: '' })),
  ];
  for (const { accelerator, basis, ...figures } of groups)
    for (const figure of ['duration', 'cost'] as const)
      showFigures(series, { of: figure, accelerator, basis }, figures[figure]);
}

function showFigures(series: Series, labels: Record<string, string>, figures: Figures): void {
  const { medianErrorPercent, p90ErrorPercent, biasPercent, coveragePercent } = figures;
  if (medianErrorPercent !== null) series.error.set({ ...labels, quantile: '0.5' }, medianErrorPercent / 100);
  if (p90ErrorPercent !== null) series.error.set({ ...labels, quantile: '0.9' }, p90ErrorPercent / 100);
  if (biasPercent !== null) series.bias.set(labels, biasPercent / 100);
  if (coveragePercent !== null) series.coverage.set(labels, coveragePercent / 100);
}
