import type { Workload } from '../protocol/job-spec.ts';

/** Of these every token sees every other; elsewhere only those before it. */
const looksBothWays = new Set<Workload['kind']>(['encoder', 'vision', 'diffusion', 'speech', 'encoder-decoder']);

/**
 * FLOP of training a transformer, or undefined where parameters or data are not stated: for each token 6·N (forward 2, backward 4)
 * and 6·L·d·s for causal attention, 12·L·d·s where it looks both ways (arXiv:2001.08361, arXiv:2204.02311). N counts what a
 * token meets: the active parameters of a mixture of experts, half of an encoder-decoder, whose tokens pass one half or
 * the other (which gives T5-11B's published 4.05e22, arXiv:2104.10350). A frozen base costs 4·N: no gradients of its weights.
 */
export function transformerFlops(workload: Workload, assumptions: string[]): number | undefined {
  const { kind, trainable } = workload;
  const active = workload.activeParameters ?? workload.parameters;
  const tokens = tokensOf(workload);
  if (active === undefined || tokens === undefined) return undefined;
  if (kind === 'moe' && workload.activeParameters === undefined)
    assumptions.push(
      'activeParameters is not stated, so every parameter counts as active, which overstates a mixture of experts.',
    );
  if (workload.tokens !== undefined && workload.epochs !== undefined && workload.epochs !== 1)
    assumptions.push(`tokens is taken as one epoch's, of ${workload.epochs}.`);
  if (workload.parameters === undefined)
    assumptions.push('parameters is not stated, so it is not checked whether the memory holds all experts.');
  if (trainable === 'lora')
    assumptions.push('LoRA: 4 FLOP a weight and token, since the frozen base needs no gradients of its own.');
  const passed = kind === 'encoder-decoder' ? 0.5 : 1;
  if (passed !== 1)
    assumptions.push('tokens counts those read and those written: each passes the encoder or the decoder, half of it.');
  return passed * (flopsPerWeight(workload) * active + attentionFlops(workload, active, assumptions)) * tokens;
}

/** For each token or position: forward 2, backward 4, and 2 less where the base is frozen. */
export function flopsPerWeight({ trainable }: Workload): number {
  return trainable === 'lora' ? 4 : 6;
}

export const languageKinds: ReadonlySet<Workload['kind']> = new Set<Workload['kind']>([
  'llm',
  'moe',
  'encoder',
  'encoder-decoder',
]);

/** Tokens of an example whose length is not stated: Alpaca's recipe, and BERT's sequence. */
const usualExample = 512;

/** In all epochs together. Examples with a length, or of language, are so many tokens, unless their FLOP are stated. */
export function tokensOf(workload: Workload): number | undefined {
  const { kind, tokens, examples, epochs = 1, sequenceLength, flopsPerExample } = workload;
  if (tokens !== undefined) return tokens * epochs;
  const length = sequenceLength ?? (languageKinds.has(kind) ? usualExample : undefined);
  return examples === undefined || length === undefined || flopsPerExample !== undefined
    ? undefined
    : examples * epochs * length;
}

/** For each token. */
function attentionFlops(workload: Workload, active: number, assumptions: string[]): number {
  const { kind, tokens, sequenceLength } = workload;
  if (sequenceLength === undefined) {
    assumptions.push(
      tokens === undefined
        ? `sequenceLength is not stated: examples of ${usualExample} tokens are assumed, and attention is left out of the FLOPs.`
        : 'sequenceLength is not stated, so attention is left out of the FLOPs.',
    );
    return 0;
  }
  const { layers, hiddenSize } = usualShape(active, workload);
  if (workload.layers === undefined || workload.hiddenSize === undefined)
    assumptions.push(
      `layers and hiddenSize are not both stated: ${Math.round(layers)} layers of width ${Math.round(hiddenSize)} are assumed.`,
    );
  return (looksBothWays.has(kind) ? 12 : 6) * layers * hiddenSize * sequenceLength;
}

/** What is not stated of a shape, from the weights: usually d = 128·L, and N = 12·L·d² without embeddings. */
export function usualShape(
  parameters: number,
  { layers, hiddenSize }: { layers?: number | null | undefined; hiddenSize?: number | null | undefined },
): { layers: number; hiddenSize: number } {
  const width = hiddenSize ?? (layers ? Math.sqrt(parameters / (12 * layers)) : Math.cbrt((128 * parameters) / 12));
  return { layers: layers ?? parameters / (12 * width ** 2), hiddenSize: width };
}

/** The weights that a dense transformer's shape implies where they are not stated: 12·L·d², its embeddings left out. */
export function impliedParameters(
  { kind, parameters, activeParameters, layers, hiddenSize, tokens, sequenceLength }: Workload,
  assumptions: string[],
): number | undefined {
  const isKnown = parameters !== undefined || activeParameters !== undefined;
  if (isKnown || layers === undefined || hiddenSize === undefined) return parameters;
  const isTransformer = kind === undefined ? tokens !== undefined || sequenceLength !== undefined : isDense.has(kind);
  if (!isTransformer) return undefined;
  const implied = 12 * layers * hiddenSize ** 2;
  assumptions.push(
    `parameters is not stated: ${implied.toPrecision(3)}, as ${layers} layers of width ${hiddenSize} have without embeddings.`,
  );
  return implied;
}

const isDense: ReadonlySet<Workload['kind']> = new Set<Workload['kind']>([
  'llm',
  'encoder',
  'encoder-decoder',
  'vision',
  'diffusion',
  'speech',
]);
