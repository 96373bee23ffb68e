import type { Workload } from '../protocol/job-spec.ts';

/** A well-known model or training run. What a spec states beside the preset takes the preset's place. */
export type Preset = { workload: Workload; source: string };

const transformer = (
  kind: NonNullable<Workload['kind']>,
  parameters: number,
  tokens: number,
  shape: readonly [sequenceLength: number, layers: number, hiddenSize: number],
): Workload => ({
  kind,
  parameters,
  tokens,
  sequenceLength: shape[0],
  layers: shape[1],
  hiddenSize: shape[2],
});

export const presets: Readonly<Record<string, Preset>> = {
  'gpt2-124m': {
    workload: transformer('llm', 1.24e8, 1e10, [1024, 12, 768]),
    source: 'karpathy/llm.c, 10 billion tokens of FineWeb',
  },
  'gpt2-1.5b': {
    workload: transformer('llm', 1.558e9, 3.355e10, [1024, 48, 1600]),
    source: 'karpathy/llm.c, 33.6 billion tokens of FineWeb',
  },
  'pythia-1.4b': { workload: transformer('llm', 1.415e9, 3e11, [2048, 24, 2048]), source: 'Pythia, arXiv:2304.01373' },
  'pythia-6.9b': { workload: transformer('llm', 6.857e9, 3e11, [2048, 32, 4096]), source: 'Pythia, arXiv:2304.01373' },
  'tinyllama-1.1b': {
    workload: transformer('llm', 1.1e9, 3e12, [2048, 22, 2048]),
    source: 'TinyLlama, arXiv:2401.02385',
  },
  'llama-2-7b': { workload: transformer('llm', 6.74e9, 2e12, [4096, 32, 4096]), source: 'Llama 2, arXiv:2307.09288' },
  'llama-2-13b': {
    workload: transformer('llm', 1.302e10, 2e12, [4096, 40, 5120]),
    source: 'Llama 2, arXiv:2307.09288',
  },
  'llama-2-70b': {
    workload: transformer('llm', 6.898e10, 2e12, [4096, 80, 8192]),
    source: 'Llama 2, arXiv:2307.09288',
  },
  'llama-3.1-8b': { workload: transformer('llm', 8.03e9, 1.5e13, [8192, 32, 4096]), source: 'Llama 3.1 model card' },
  'llama-3.1-405b': {
    workload: transformer('llm', 4.05e11, 1.56e13, [8192, 126, 16_384]),
    source: 'Llama 3, arXiv:2407.21783',
  },
  'deepseek-v3': {
    workload: { ...transformer('moe', 6.71e11, 1.48e13, [4096, 61, 7168]), activeParameters: 3.7e10, precision: 'fp8' },
    source: 'DeepSeek-V3, arXiv:2412.19437',
  },
  'bert-large': {
    workload: transformer('encoder', 3.4e8, 4.26e10, [512, 24, 1024]),
    source: 'BERT, arXiv:1810.04805: 1M steps of 256 sequences, nine tenths of them 128 long',
  },
  'resnet50-imagenet': {
    workload: { kind: 'vision', parameters: 2.56e7, flopsPerExample: 2.46e10, examples: 1_281_167, epochs: 90 },
    source: 'ResNet-50 at 224 px, arXiv:1512.03385: 3 × 8.2e9 FLOP an image, 90 epochs of ImageNet-1k',
  },
  'vit-b16-imagenet': {
    workload: { kind: 'vision', parameters: 8.6e7, flopsPerExample: 1.056e11, examples: 1_281_167, epochs: 300 },
    source: 'DeiT-B, arXiv:2012.12877: 3 × 35.2e9 FLOP an image, 300 epochs of ImageNet-1k',
  },
  'mnist-mlp': {
    workload: { kind: 'other', parameters: 50_890, flopsPerExample: 3.05e5, examples: 60_000, epochs: 10 },
    source: 'the 784-64-10 network: 6 FLOP a weight and image, 10 epochs of MNIST',
  },
};
