/**
 * How far the model alone, with no history, is from public training runs:
 *   node tests/bench/quote-accuracy.ts <folder with training_runs.csv> [--json]
 * The model's constants were read from a larger table that holds most of these runs, so this is a check that the code does
 * what the constants say, not a test of prediction.
 */
import { kindOf, numberIn, readTable, type Row } from '../../infra/catalogue/tables.ts';
import type { Workload } from '../../src/protocol/job-spec.ts';
import { peakFlops } from '../../src/quotes/catalogue.ts';
import { median, spreadOf } from '../../src/quotes/interval.ts';
import { modelSeconds } from '../../src/quotes/predict.ts';
import { resolveWork } from '../../src/quotes/work.ts';

/** What the table calls kinds, as specs do. */
const workKinds: Record<string, NonNullable<Workload['kind']>> = {
  llm: 'llm',
  small: 'llm',
  finetune: 'llm',
  moe: 'moe',
  encoder: 'encoder',
  vision: 'vision',
};

/** Where the table does not say how many accelerators ran. */
const usualCount = 512;

type Outcome = { logRatio: number; isCovered: boolean; constantMfu: number };

function outcomeOf(row: Row): Outcome | undefined {
  const accelerator = row['accelerator'] ?? '';
  const kind = kindOf[accelerator === 'H800-SXM' ? 'H100-SXM' : accelerator];
  const hours = numberIn(row, 'accelerator_hours');
  const workKind = workKinds[row['kind'] ?? ''];
  if (row['usable'] !== '1' || kind === undefined || hours === undefined || workKind === undefined) return undefined;
  const count = numberIn(row, 'count') ?? usualCount;
  const work = resolveWork(workloadOf(row, workKind));
  const seconds = modelSeconds({ name: 'run', command: 'true' }, work, { kind, count });
  const peak = peakFlops(kind);
  if (seconds === undefined || peak === undefined || work.flops === null) return undefined;
  const logRatio = Math.log((hours * 3600) / (seconds * count));
  const { halfWidth } = spreadOf(work, kind, { sameName: undefined, tenant: undefined, all: undefined });
  const constantMfu = Math.abs(work.flops / (0.3 * peak) / (hours * 3600) - 1);
  return { logRatio, isCovered: Math.abs(logRatio) <= halfWidth, constantMfu };
}

function workloadOf(row: Row, kind: NonNullable<Workload['kind']>): Workload {
  const optional = (field: keyof Workload, column: string) => {
    const value = numberIn(row, column);
    return value === undefined ? {} : { [field]: value };
  };
  const examples = optional('examples', 'examples');
  const perExample = numberIn(row, 'flops_per_token_per_param_or_flops_per_example');
  if (row['examples'] !== '' && perExample !== undefined)
    return { kind, ...examples, epochs: 1, flopsPerExample: perExample };
  const active = kind === 'moe' ? optional('activeParameters', 'params_active') : {};
  const parameters = optional('parameters', kind === 'moe' ? 'params_total' : 'params_active');
  return { kind, ...parameters, ...active, ...optional('tokens', 'tokens'), ...optional('sequenceLength', 'seq_len') };
}

const percent = (share: number): number => Math.round(share * 1000) / 10;

const folder = process.argv.slice(2).find((argument) => !argument.startsWith('--'));
if (folder === undefined) {
  process.stderr.write('usage: node tests/bench/quote-accuracy.ts <folder with training_runs.csv> [--json]\n');
  process.exitCode = 64;
} else {
  const outcomes = readTable(folder, 'training_runs.csv').flatMap((row) => outcomeOf(row) ?? []);
  const errors = outcomes.map(({ logRatio }) => Math.abs(Math.exp(-logRatio) - 1));
  const result = {
    runs: outcomes.length,
    medianErrorPercent: percent(median(errors)),
    p90ErrorPercent: percent(errors.toSorted((left, right) => left - right)[Math.floor(errors.length * 0.9)] ?? 0),
    biasFactor: Number(Math.exp(-median(outcomes.map(({ logRatio }) => logRatio))).toFixed(2)),
    coverageOf80Percent: percent(outcomes.filter(({ isCovered }) => isCovered).length / outcomes.length),
    constantMfuMedianErrorPercent: percent(median(outcomes.map(({ constantMfu }) => constantMfu))),
  };
  const summary = `${result.runs} runs: median error ${result.medianErrorPercent} % (a constant 30 % of peak: ${result.constantMfuMedianErrorPercent} %), the 80 % interval covers ${result.coverageOf80Percent} %`;
  process.stdout.write(
    process.argv.includes('--json')
      ? `${JSON.stringify({ ...result, summary })}\n`
      : `${summary}\n${JSON.stringify(result)}\n`,
  );
}
