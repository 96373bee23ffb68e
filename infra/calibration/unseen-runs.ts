import type { Workload } from '../../src/protocol/job-spec.ts';
import { distribution, spreadOf, type Percentiles } from '../../src/quotes/interval.ts';
import { modelSeconds } from '../../src/quotes/predict.ts';
import { resolveWork } from '../../src/quotes/work.ts';

type UnseenRun = {
  name: string;
  workload: Workload;
  kind: string;
  count: number;
  acceleratorHours: number;
  source: string;
};

/**
 * Well-known runs that are in no table here, as their papers and model cards state them: never fitted to, only quoted. Where a
 * count is not published, one of the usual is taken.
 */
const runs: readonly UnseenRun[] = [
  {
    name: 'LLaMA-7B',
    workload: { preset: 'llama-7b' },
    kind: 'A100-80GB',
    count: 1024,
    acceleratorHours: 82_432,
    source: 'arXiv:2302.13971, Table 15',
  },
  {
    name: 'LLaMA-65B',
    workload: { preset: 'llama-65b' },
    kind: 'A100-80GB',
    count: 2048,
    acceleratorHours: 1_022_362,
    source: 'arXiv:2302.13971, Table 15',
  },
  {
    name: 'Llama 2 7B',
    workload: { preset: 'llama-2-7b' },
    kind: 'A100-80GB',
    count: 512,
    acceleratorHours: 184_320,
    source: 'arXiv:2307.09288, Table 2',
  },
  {
    name: 'Llama 2 70B',
    workload: { preset: 'llama-2-70b' },
    kind: 'A100-80GB',
    count: 2000,
    acceleratorHours: 1_720_320,
    source: 'arXiv:2307.09288, Table 2',
  },
  {
    name: 'Llama 3 8B',
    workload: { preset: 'llama-3-8b' },
    kind: 'H100',
    count: 2048,
    acceleratorHours: 1_300_000,
    source: 'its model card',
  },
  {
    name: 'Llama 3 70B',
    workload: { preset: 'llama-3-70b' },
    kind: 'H100',
    count: 8192,
    acceleratorHours: 6_400_000,
    source: 'its model card',
  },
  {
    name: 'Llama 3.1 405B',
    workload: { preset: 'llama-3.1-405b' },
    kind: 'H100',
    count: 16_384,
    acceleratorHours: 30_840_000,
    source: 'its model card',
  },
  {
    name: 'Pythia-12B',
    workload: { preset: 'pythia-12b' },
    kind: 'A100',
    count: 256,
    acceleratorHours: 72_300,
    source: 'arXiv:2304.01373',
  },
  {
    name: 'GPT-NeoX-20B',
    workload: { preset: 'gpt-neox-20b' },
    kind: 'A100',
    count: 96,
    acceleratorHours: 175_680,
    source: 'arXiv:2204.06745, 1,830 hours',
  },
  {
    name: 'StarCoder-15B',
    workload: { kind: 'llm', parameters: 15.5e9, tokens: 1e12, sequenceLength: 8192, precision: 'bf16' },
    kind: 'A100-80GB',
    count: 512,
    acceleratorHours: 320_256,
    source: 'arXiv:2305.06161',
  },
  {
    name: 'TinyLlama-1.1B',
    workload: { preset: 'tinyllama-1.1b' },
    kind: 'A100',
    count: 16,
    acceleratorHours: 34_560,
    source: 'its README, 90 days',
  },
  {
    name: 'Phi-2',
    workload: { preset: 'phi-2' },
    kind: 'A100-80GB',
    count: 96,
    acceleratorHours: 32_256,
    source: 'its model card, 14 days',
  },
  {
    name: 'SmolLM3-3B',
    workload: { kind: 'llm', parameters: 3.08e9, tokens: 11.2e12, sequenceLength: 4096, precision: 'bf16' },
    kind: 'H100',
    count: 384,
    acceleratorHours: 221_184,
    source: 'its announcement, 24 days',
  },
  {
    name: 'DeiT-B, 300 epochs',
    workload: { preset: 'vit-b16-imagenet' },
    kind: 'V100',
    count: 8,
    acceleratorHours: 424,
    source: 'arXiv:2012.12877, 53 hours',
  },
  {
    name: 'ViT-L/16 on ImageNet-21k',
    workload: { preset: 'vit-l16-imagenet21k' },
    kind: 'v3',
    count: 128,
    acceleratorHours: 2_760,
    source: 'arXiv:2010.11929, Table 2',
  },
  {
    name: 'ViT-H/14 on JFT-300M',
    workload: { preset: 'vit-h14-jft300m' },
    kind: 'v3',
    count: 128,
    acceleratorHours: 30_000,
    source: 'arXiv:2010.11929, Table 2',
  },
  {
    name: 'DiT-XL/2 at 256 px',
    workload: { preset: 'dit-xl2-imagenet' },
    kind: 'v3',
    count: 128,
    acceleratorHours: 43_700,
    source: 'arXiv:2212.09748, 7 million steps at 5.7 a second',
  },
  {
    name: 'Stable Diffusion 2',
    workload: { preset: 'stable-diffusion-2.1-base' },
    kind: 'A100',
    count: 256,
    acceleratorHours: 200_000,
    source: 'its model card',
  },
];

/** A run with its quote, both in accelerator-hours. */
export type Quoted = Omit<UnseenRun, 'workload'> & { quoted: Percentiles; isCovered: boolean };

/** As the service quotes them to a tenant without history. */
export function quoteUnseen(): Quoted[] {
  return runs.map(({ workload, ...run }) => {
    const { name, kind, count, acceleratorHours } = run;
    const work = resolveWork(workload);
    const seconds = modelSeconds({ name, command: 'train', workload }, work, { kind, count }) ?? NaN;
    const quoted = distribution((seconds * count) / 3600, spreadOf(work, kind, {}));
    return { ...run, quoted, isCovered: quoted.p10 <= acceleratorHours && acceleratorHours <= quoted.p90 };
  });
}
