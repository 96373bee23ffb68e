import { createHash } from 'node:crypto';
import type { JobSpec, Workload } from '../protocol/job-spec.ts';
import { modelSeconds } from './predict.ts';
import { resolveWork } from './work.ts';

const workloads: Workload[] = [
  { kind: 'llm', parameters: 7e9, tokens: 2e12, sequenceLength: 4096, batchSize: 1024, precision: 'bf16' },
  { kind: 'llm', parameters: 125e6, tokens: 1e10, sequenceLength: 1024, precision: 'fp16' },
  { kind: 'moe', parameters: 47e9, activeParameters: 13e9, tokens: 1e12, sequenceLength: 4096 },
  { kind: 'encoder', parameters: 340e6, tokens: 1e11, sequenceLength: 512 },
  { kind: 'llm', parameters: 7e9, tokens: 1e9, trainable: 'lora', sequenceLength: 2048 },
  { kind: 'vision', examples: 1.28e6, epochs: 90, flopsPerExample: 24.6e9, batchSize: 1024 },
  { kind: 'diffusion', flops: 1e21 },
  { flops: 1e15 },
  { expectedDuration: '2h' },
  {},
];

const gangs = [
  'cpu',
  'T4',
  'V100',
  'L4',
  'A10G',
  'A100',
  'A100-80GB',
  'H100',
  'H200',
  'B200',
  'v3',
  'v4',
  'v5e',
  'v6e',
];
const counts = [1, 8, 64];

/** Everything that costs time around the work. */
const around: JobSpec = {
  name: 'reference',
  command: 'true',
  setup: 'true',
  image: 'image',
  inputs: [{ uri: 'gs://bucket/data', path: 'data' }],
  outputs: ['out/'],
};

/**
 * Says which model predicts here: what it answers for some jobs of every kind, in short. When it changes, by a new fit or new code,
 * residuals against the former one say nothing about its errors.
 */
export function modelFingerprint(): string {
  return (known ??= computeFingerprint());
}

/** It does not change while the process runs. */
let known: string | undefined;

function computeFingerprint(): string {
  const answers = workloads.flatMap((workload) =>
    gangs.flatMap((kind) =>
      counts.flatMap((count) =>
        [{ name: 'bare', command: 'true' }, around].map(
          (spec) => modelSeconds({ ...spec, workload }, resolveWork(workload), { kind, count })?.toPrecision(6) ?? '',
        ),
      ),
    ),
  );
  return createHash('sha256').update(answers.join(' ')).digest('hex').slice(0, 16);
}
