/**
 * How many quotes a second one process computes, without database and HTTP, against writing the same quote as JSON:
 *   node tests/bench/quotes.ts [--json]
 */
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import { quoteOf } from '../quotes/sample.ts';

const specs: Record<string, Partial<JobSpec>> = {
  'cpu, nothing known': {},
  'cpu, examples': { workload: { kind: 'other', examples: 60_000, epochs: 10, flopsPerExample: 3.05e5 } },
  'A100-80GB:8, llama-2-7b': { resources: { accelerators: 'A100-80GB:8' }, workload: { preset: 'llama-2-7b' } },
  'H100 of any count, llama-2-7b': { resources: { accelerators: 'H100' }, workload: { preset: 'llama-2-7b' } },
};

const durationMs = 1500;

function measure(work: () => unknown): { perSecond: number; p99Microseconds: number } {
  for (let warmUp = 0; warmUp < 500; warmUp++) work();
  const samples: number[] = [];
  const end = performance.now() + durationMs;
  while (performance.now() < end) {
    const start = performance.now();
    work();
    samples.push((performance.now() - start) * 1000);
  }
  samples.sort((left, right) => left - right);
  return {
    perSecond: Math.round((samples.length / durationMs) * 1000),
    p99Microseconds: Math.round(samples[Math.floor(samples.length * 0.99)] ?? 0),
  };
}

const cases = Object.entries(specs).map(([name, spec]) => {
  const quote = quoteOf(spec);
  return {
    name,
    options: quote.options.length,
    quote: measure(() => quoteOf(spec)),
    json: measure(() => JSON.stringify(quote)),
  };
});

const lines = cases.map(
  ({ name, options, quote, json }) =>
    `${name}: ${quote.perSecond} quotes/s of ${options} options, p99 ${quote.p99Microseconds} µs; as JSON ${json.perSecond}/s`,
);
const summary = lines.join('; ');
process.stdout.write(
  process.argv.includes('--json') ? `${JSON.stringify({ cases, summary })}\n` : `${lines.join('\n')}\n`,
);
