/**
 * The tables that the fits are made from, cut down to what the fits read: infra/calibration/data/*.json, one row a line. Every
 * row keeps where it was published. Licences of the sources: MLPerf result logs Apache-2.0, vTrain's measurements MIT, Epoch
 * AI's table CC-BY; single figures are quoted from papers, model cards and READMEs.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Workload } from '../../src/protocol/job-spec.ts';
import { numberIn, readTable, type Row } from '../catalogue/tables.ts';

const folderOfData = join(import.meta.dirname, 'data');

/** A full training run: what its spec would have said, and how long it took. */
export type Run = {
  name: string;
  group: string;
  accelerator: string;
  /** Null where nobody says. */
  count: number | null;
  acceleratorHours: number;
  workload: Workload;
  source: string;
};

/** A steady-state rate, as teams publish it of a tuned stack. */
export type Throughput = {
  source: string;
  accelerator: string;
  count: number;
  precision: string;
  isMixture: boolean;
  isVision: boolean;
  parameters: number;
  sequenceLength: number | null;
  batch: number | null;
  /** Model FLOP/s of one accelerator. */
  tflops: number;
};

/** A result of MLPerf Training; `class` is the benchmark. */
export type BenchmarkRun = {
  round: string;
  submitter: string;
  class: string;
  accelerator: string;
  count: number;
  batch: number;
  samples: number | null;
  minutes: number;
  /** Samples a second, as logged by the run itself. */
  throughput: number | null;
};

/** A measured optimiser step of Megatron (vTrain, MICRO 2024) in one layout. */
export type Step = {
  isMultiNode: boolean;
  hiddenSize: number;
  layers: number;
  sequenceLength: number;
  batch: number;
  microBatch: number;
  tensor: number;
  data: number;
  pipeline: number;
  seconds: number;
};

/** What an accelerator is, served by weir or not. */
export type Hardware = { name: string; vendor: string; peakTflops: number; memoryGBs: number };

export type Tables = {
  runs: Run[];
  /** Kept by hand: runs that the tables do not have, from papers and model cards. */
  elsewhere: Run[];
  throughput: Throughput[];
  benchmarks: BenchmarkRun[];
  steps: Step[];
  hardware: Hardware[];
};

/** The repository's own copy. */
export function readCompact(): Tables {
  return {
    runs: read('runs'),
    elsewhere: read('elsewhere'),
    throughput: read('throughput'),
    benchmarks: read('benchmarks'),
    steps: read('steps'),
    hardware: read('hardware'),
  };
}

type Columnar = { columns: string[]; rows: unknown[][] };

function read<Item>(name: string): Item[] {
  const { columns, rows } = JSON.parse(readFileSync(join(folderOfData, `${name}.json`), 'utf8')) as Columnar;
  return rows.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at]])) as Item);
}

export function writeCompact(tables: Omit<Tables, 'elsewhere'>): void {
  mkdirSync(folderOfData, { recursive: true });
  for (const [name, rows] of Object.entries(tables)) {
    const columns = Object.keys(rows[0] ?? {});
    const lines = rows.map((row) => JSON.stringify(columns.map((column) => (row as Record<string, unknown>)[column])));
    const text = `{"columns": ${JSON.stringify(columns)}, "rows": [\n${lines.join(',\n')}\n]}\n`;
    writeFileSync(join(folderOfData, `${name}.json`), text);
  }
}

/** From a folder with training_runs.csv, throughput.csv, mlperf_runs.csv and accelerators.csv. */
export function compactTables(folder: string): Omit<Tables, 'elsewhere'> {
  const throughput = readTable(folder, 'throughput.csv');
  return {
    runs: readTable(folder, 'training_runs.csv').flatMap((row) => toRun(row) ?? []),
    throughput: throughput.flatMap((row) => toThroughput(row) ?? []),
    benchmarks: distinct(readTable(folder, 'mlperf_runs.csv').flatMap((row) => toBenchmark(row) ?? [])),
    steps: throughput.flatMap((row) => toStep(row) ?? []),
    hardware: readTable(folder, 'accelerators.csv').flatMap((row) => toHardware(row) ?? []),
  };
}

const kinds: Record<string, NonNullable<Workload['kind']>> = {
  llm: 'llm',
  small: 'llm',
  finetune: 'llm',
  moe: 'moe',
  encoder: 'encoder',
  vision: 'vision',
};

/** What the tables call a language model and its paper (arXiv:1907.11692) an encoder. */
const corrected: Record<string, NonNullable<Workload['kind']>> = { 'RoBERTa-large-100k': 'encoder' };

function toRun(row: Row): Run | undefined {
  const kind = corrected[row['name'] ?? ''] ?? kinds[row['kind'] ?? ''];
  const acceleratorHours = numberIn(row, 'accelerator_hours');
  if (row['usable'] !== '1' || kind === undefined || acceleratorHours === undefined) return undefined;
  return {
    name: row['name'] ?? '',
    group: row['group'] ?? '',
    accelerator: row['accelerator'] ?? '',
    count: numberIn(row, 'count') ?? null,
    acceleratorHours,
    workload: workloadOf(row, kind),
    source: `${row['source']} (${row['confidence']})`,
  };
}

function workloadOf(row: Row, kind: NonNullable<Workload['kind']>): Workload {
  const optional = (field: keyof Workload, column: string): Partial<Workload> => {
    const value = numberIn(row, column);
    return value === undefined ? {} : { [field]: value };
  };
  const precision = row['precision'] as NonNullable<Workload['precision']>;
  const perExample = numberIn(row, 'flops_per_token_per_param_or_flops_per_example');
  if (row['examples'] !== '' && perExample !== undefined) {
    return {
      kind,
      precision,
      epochs: 1,
      flopsPerExample: perExample,
      ...optional('examples', 'examples'),
      ...optional('parameters', 'params_active'),
    };
  }
  return {
    kind,
    precision,
    ...(kind === 'moe' ? optional('activeParameters', 'params_active') : {}),
    ...optional('parameters', kind === 'moe' ? 'params_total' : 'params_active'),
    ...optional('tokens', 'tokens'),
    ...optional('sequenceLength', 'seq_len'),
  };
}

const mixtures = /MoE|a22B|a3B|DeepSeek|Mixtral|Kimi|gpt-oss|GPT_OSS|Qwen3_30B|Super/i;

function toThroughput(row: Row): Throughput | undefined {
  const [count, parameters, tflops] = [
    numberIn(row, 'count'),
    numberIn(row, 'params'),
    numberIn(row, 'tflops_per_accel'),
  ];
  const isStep = row['source']?.startsWith('VIA-Research/vTrain') ?? false;
  if (isStep || count === undefined || parameters === undefined || tflops === undefined) return undefined;
  return {
    source: row['source'] ?? '',
    accelerator: row['accelerator'] ?? '',
    count,
    precision: row['precision'] ?? '',
    isMixture: mixtures.test(row['model'] ?? ''),
    isVision: row['model']?.startsWith('ResNet') ?? false,
    parameters,
    sequenceLength: numberIn(row, 'seq_len') ?? null,
    batch: numberIn(row, 'global_batch') ?? null,
    tflops,
  };
}

/** One submitter under several names. */
const submitters: Record<string, string> = {
  dellemc: 'dell',
  habana: 'intel-habanalabs',
  nvidia_coreweave: 'nvidia',
  'ibm+coreweave+nvidia': 'nvidia',
  'azure+nvidia': 'azure',
  iei: 'inspur',
};

function toBenchmark(row: Row): BenchmarkRun | undefined {
  const [count, batch, minutes] = [numberIn(row, 'count'), numberIn(row, 'global_batch'), numberIn(row, 'minutes')];
  if (count === undefined || batch === undefined || minutes === undefined) return undefined;
  const submitter = (row['submitter'] ?? '').toLowerCase();
  return {
    round: row['round'] ?? '',
    submitter: submitters[submitter] ?? submitter,
    class: classOf(row['benchmark'] ?? '', row['round'] ?? ''),
    accelerator: row['accelerator'] ?? '',
    count,
    batch,
    samples: numberIn(row, 'samples') ?? null,
    minutes,
    throughput: numberIn(row, 'logged_throughput') ?? null,
  };
}

/** From v2.0 on the benchmark named ssd was RetinaNet on OpenImages, another network on other data. */
function classOf(benchmark: string, round: string): string {
  return benchmark === 'ssd' && round >= 'v2.0' ? 'retinanet' : benchmark;
}

function distinct(rows: BenchmarkRun[]): BenchmarkRun[] {
  const keyOf = ({ samples: _samples, throughput: _throughput, ...row }: BenchmarkRun) => JSON.stringify(row);
  return [...new Map(rows.map((row) => [keyOf(row), row])).values()];
}

const layout = /^GPT h(\d+) L(\d+) mb(\d+) tp(\d+) dp(\d+) pp(\d+)$/;

function toStep(row: Row): Step | undefined {
  const [hiddenSize, layers, microBatch, tensor, data, pipeline] = (layout.exec(row['model'] ?? '') ?? [])
    .slice(1)
    .map(Number);
  const [batch, sequenceLength] = [numberIn(row, 'global_batch'), numberIn(row, 'seq_len')];
  const [rate, count] = [numberIn(row, 'tokens_per_s_per_accel'), numberIn(row, 'count')];
  if (hiddenSize === undefined || layers === undefined || microBatch === undefined) return undefined;
  if (tensor === undefined || data === undefined || pipeline === undefined) return undefined;
  if (batch === undefined || sequenceLength === undefined || rate === undefined || count === undefined)
    return undefined;
  return {
    isMultiNode: row['source']?.includes('multi') ?? false,
    hiddenSize,
    layers,
    sequenceLength,
    batch,
    microBatch,
    tensor,
    data,
    pipeline,
    seconds: Number(((batch * sequenceLength) / (rate * count)).toPrecision(7)),
  };
}

function toHardware(row: Row): Hardware | undefined {
  const peakTflops = numberIn(row, 'peak_bf16_tflops') ?? numberIn(row, 'peak_fp16_tflops');
  const memoryGBs = numberIn(row, 'mem_bw_gbs');
  if (peakTflops === undefined || memoryGBs === undefined) return undefined;
  return { name: row['name'] ?? '', vendor: row['vendor'] ?? '', peakTflops, memoryGBs };
}
