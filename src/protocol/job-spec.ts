import { Type, type Static } from 'typebox';
import { closed, Duration, Id, Time } from './common.ts';
import { Retries } from './retries.ts';
import { Webhook } from './webhook.ts';

/** Kinds of accelerator that a spec may name; `cpu` counts cores. TPU slices are `v5e-8` and the like. */
export const gpuKinds = [
  'T4', 'P100', 'V100', 'L4', 'A10G', 'A100', 'A100-80GB', 'H100', 'H200', 'B200',
] as const; // prettier-ignore

export const tpuGenerations = ['v2', 'v3', 'v4', 'v5e', 'v5p', 'v6e'] as const;

export const acceleratorsPattern = `^(none|(${gpuKinds.join('|')})(:[1-9][0-9]{0,4})?|(${tpuGenerations.join('|')})-[1-9][0-9]{0,4})$`;

export const environmentName = '^[A-Za-z_][A-Za-z0-9_]*$';
export const relativePathPattern = '^(?!/)(?!.*(^|/)\\.\\.(/|$))[^\\u0000-\\u001f]+$';
const relativePath = { minLength: 1, maxLength: 1024, pattern: relativePathPattern };

export const Market = Type.Enum(['spot', 'on-demand', 'any']);

export const Resources = Type.Object(
  {
    accelerators: Type.Optional(
      Type.String({
        pattern: acceleratorsPattern,
        description:
          'kind:count per node, such as A100-80GB:8, or a TPU slice such as v5e-8. A stated count is exact, a kind alone lets weir choose the count. A count that no machine has, where nodes is left out, is that of all machines together. none, or left out: CPU only.',
      }),
    ),
    cpus: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 100_000,
        description: 'Cores per node. Left out: 1 on CPU, else the machine’s.',
      }),
    ),
    memoryGiB: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1_000_000,
        description:
          'Memory per node; a job that passes it ends as failed with reason out-of-memory. Left out: 2 GiB per core.',
      }),
    ),
    diskGiB: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1_000_000,
        description: 'Disk per node; a job that passes it ends as failed with reason disk-full. Left out: 20.',
      }),
    ),
    nodes: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000, description: 'Machines of one gang. Left out: 1.' }),
    ),
    market: Type.Optional(Market),
    providers: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        description: 'In this order, the next on shortage. Left out: all.',
      }),
    ),
    regions: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })),
  },
  { ...closed, title: 'Resources' },
);
export type Resources = Static<typeof Resources>;

export const workloadKinds = [
  'llm', 'moe', 'encoder', 'encoder-decoder', 'vision', 'diffusion', 'speech', 'recommender', 'other',
] as const; // prettier-ignore

export const precisions = ['fp32', 'tf32', 'fp16', 'bf16', 'fp8'] as const;

const positive = { exclusiveMinimum: 0, maximum: 1e30 };

export const Workload = Type.Object(
  {
    preset: Type.Optional(
      Type.String({ minLength: 1, description: 'A named model or workload, such as llama-2-7b or resnet50-imagenet.' }),
    ),
    kind: Type.Optional(Type.Enum([...workloadKinds])),
    parameters: Type.Optional(Type.Number({ ...positive, description: 'Weights of the model, such as 7e9.' })),
    activeParameters: Type.Optional(
      Type.Number({ ...positive, description: 'Weights used per token by a mixture of experts.' }),
    ),
    tokens: Type.Optional(
      Type.Number({ ...positive, description: 'Tokens of one epoch: the run trains on tokens × epochs.' }),
    ),
    sequenceLength: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000_000 })),
    layers: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
    hiddenSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000_000 })),
    batchSize: Type.Optional(Type.Number({ ...positive, description: 'Global, in sequences or examples.' })),
    trainable: Type.Optional(Type.Enum(['full', 'lora'])),
    examples: Type.Optional(Type.Number({ ...positive, description: 'Examples in one epoch.' })),
    epochs: Type.Optional(
      Type.Number({ ...positive, description: 'How often the data is gone through. Left out: 1.' }),
    ),
    flopsPerExample: Type.Optional(Type.Number({ ...positive, description: 'Forward and backward, in FLOP.' })),
    flops: Type.Optional(Type.Number({ ...positive, description: 'The whole run, in FLOP.' })),
    precision: Type.Optional(Type.Enum([...precisions])),
    expectedDuration: Type.Optional(Duration('What the user believes the run takes.')),
  },
  { ...closed, title: 'Workload' },
);
export type Workload = Static<typeof Workload>;

/** How many tasks one array may have. */
export const maxTasks = 100_000;

// One type with three names rather than a union: of a hundred thousand wrong values each is one error, not four.
const ArrayValue = Type.Unsafe<string | number | boolean>({ type: ['string', 'number', 'boolean'] });

export const JobSpec = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: 128,
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
      description: 'Letters, digits, dots, dashes and underscores. Jobs of one name share their history.',
    }),
    command: Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.String(), { minItems: 1 })], {
      description: 'A string is run by a shell, a list as it is.',
    }),
    setup: Type.Optional(
      Type.String({ minLength: 1, description: 'Run by a shell once per instance, before the command.' }),
    ),
    image: Type.Optional(
      Type.String({
        maxLength: 512,
        pattern: '^[A-Za-z0-9][A-Za-z0-9._/:@-]*$',
        description: 'A container image to run in, such as us-docker.pkg.dev/p/r/train:1.',
      }),
    ),
    source: Type.Optional(
      Type.String({
        pattern: '^weir://uploads/.+$',
        description: 'A tar or tar.gz archive, unpacked into the working directory.',
      }),
    ),
    files: Type.Optional(
      Type.Record(Type.String(relativePath), Type.String(), {
        ...closed,
        description: 'Small text files by path, 1 MiB together.',
      }),
    ),
    inputs: Type.Optional(
      Type.Array(
        Type.Object(
          {
            uri: Type.String({
              pattern: '^(gs|https|http|weir)://.+$',
              description: 'gs://, https:// or weir://, fetched by the runner.',
            }),
            path: Type.String(relativePath),
          },
          closed,
        ),
        {
          maxItems: 1000,
          description:
            'weir://uploads/<id> is an upload; weir://jobs/<id>/artifacts/<path> what a job made that has ended or is in dependsOn: one artifact, or with a path that ends in / all below it; of an array <index>/<path>. gs:// names an object, or where there is none of that name all objects in that folder; private ones are read with the tenant’s secret GOOGLE_CREDENTIALS, the JSON of a service account’s key, where secrets names it.',
        },
      ),
    ),
    outputs: Type.Optional(
      Type.Array(Type.String(relativePath), { description: 'Files and folders kept as artifacts.' }),
    ),
    checkpoints: Type.Optional(
      Type.Object(
        { path: Type.String(relativePath), every: Type.Optional(Duration('How often the job writes one.')) },
        closed,
      ),
    ),
    env: Type.Optional(Type.Record(Type.String({ pattern: environmentName }), Type.String(), closed)),
    secrets: Type.Optional(
      Type.Array(Type.String({ pattern: environmentName }), {
        description: 'Names of the tenant’s secrets, given to the job as environment variables and masked in its log.',
      }),
    ),
    resources: Type.Optional(Resources),
    workload: Type.Optional(Workload),
    objective: Type.Optional(Type.Enum(['cheapest', 'fastest'])),
    maxDuration: Type.Optional(Duration('The job is stopped, with notice, when one attempt has run so long.')),
    maxCostUsd: Type.Optional(
      Type.Number({
        minimum: 1e-6,
        maximum: 1e9,
        description: 'Reserved at the start; the job is stopped, with notice, when it has cost so much.',
      }),
    ),
    deadline: Type.Optional(
      Time(
        'The recommended option is one that is expected to have ended by then, where there is one. The job is not ended at it: that is what maxDuration does.',
      ),
    ),
    priority: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 100, description: 'Within the tenant, higher first. Left out: 50.' }),
    ),
    retries: Type.Optional(Retries),
    array: Type.Optional(
      Type.Union(
        [
          Type.Object({ count: Type.Integer({ minimum: 1, maximum: maxTasks }) }, closed),
          Type.Object(
            {
              values: Type.Array(Type.Record(Type.String({ pattern: environmentName }), ArrayValue, closed), {
                minItems: 1,
                maxItems: maxTasks,
              }),
            },
            closed,
          ),
        ],
        {
          description:
            'The same command as so many tasks, or one for each entry of `values`, whose fields are given to it as environment variables; all have WEIR_ARRAY_INDEX, from 0, and WEIR_ARRAY_COUNT. Each task is scheduled, tried again, limited by maxDuration and maxCostUsd, and paid for on its own.',
        },
      ),
    ),
    dependsOn: Type.Optional(
      Type.Array(
        Type.Object(
          {
            job: Id('job', 'A job of the same tenant; an array is waited for as a whole.'),
            on: Type.Optional(Type.Enum(['success', 'failure', 'end'], { description: 'Left out: success.' })),
          },
          closed,
        ),
        {
          maxItems: 1000,
          description:
            'The job waits until all of these have ended so. When one of them can’t any more, it fails with the reason dependency-failed.',
        },
      ),
    ),
    webhooks: Type.Optional(
      Type.Array(Webhook, {
        maxItems: 10,
        description: 'Told of what becomes of the job: a signed POST, tried again for three days.',
      }),
    ),
    labels: Type.Optional(
      Type.Record(Type.String({ pattern: '^[^\\u0000-\\u001f]{1,63}$' }), Type.String({ maxLength: 255 }), {
        ...closed,
        description: 'Names of up to 63 characters, values of up to 255.',
      }),
    ),
  },
  { ...closed, title: 'JobSpec' },
);
export type JobSpec = Static<typeof JobSpec>;

/** As the reference shows them, by name. */
export const exampleSpecs: Record<string, { value: JobSpec }> = {
  'A command': { value: { name: 'hello', command: 'echo "Hello from $WEIR_JOB_ID"' } },
  'A training run': {
    value: {
      name: 'llama-2-7b',
      command: ['torchrun', '--nproc-per-node=8', 'train.py'],
      setup: 'pip install -r requirements.txt',
      inputs: [{ uri: 'gs://bucket/data', path: 'data' }],
      outputs: ['out/'],
      checkpoints: { path: 'ckpt/', every: '10m' },
      secrets: ['HF_TOKEN'],
      resources: { accelerators: 'A100-80GB:8', market: 'any' },
      workload: { preset: 'llama-2-7b', tokens: 20e9, precision: 'bf16' },
      objective: 'cheapest',
      maxDuration: '3d',
      maxCostUsd: 4000,
    },
  },
};
