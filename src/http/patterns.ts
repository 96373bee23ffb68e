import { didYouMean } from '../core/nearest.ts';
import { durationPattern, windowPattern } from '../core/time.ts';
import {
  acceleratorsPattern,
  environmentName,
  gpuKinds,
  relativePathPattern,
  tpuGenerations,
} from '../protocol/job-spec.ts';
import { nearestGpu } from '../protocol/nearest-gpu.ts';
import { retryPattern, retryWords } from '../protocol/retries.ts';

/** What each pattern of the protocol wants, in words. The value stands before it. */
const explanations: Record<string, string> = {
  [durationPattern]: 'is not a duration above zero such as 90s, 30m, 2h or 3d',
  [environmentName]: 'is not a name of letters, digits and underscores that starts with no digit, such as HF_TOKEN',
  [relativePathPattern]: 'is not a path inside the working directory, such as out/model.pt',
  [`^${windowPattern}$`]: 'is not a duration above zero and within centuries, such as 90m, 12h or 30d',
};

const idPattern = /^\^([a-z]{3})_\[0-7\]/;

/** Whether a pattern is that of an id, so that what does not match it can't exist. */
export function isOfIds(pattern: string): boolean {
  return idPattern.test(pattern);
}

export function explainPattern(pattern: string, value: string, description: string | undefined): string {
  const shown = `"${value.length > 80 ? `${value.slice(0, 80)}…` : value}"`;
  if (pattern === acceleratorsPattern) return explainAccelerators(value, shown);
  if (pattern === retryPattern)
    return `${shown} is nothing that a job can be tried again on.${didYouMean(value, retryWords)} It is one of ${retryWords.join(', ')}, or exit-code:<1 to 255>.`;
  const prefix = idPattern.exec(pattern)?.[1];
  if (prefix !== undefined) return `${shown} is not an id such as ${prefix}_01h455vb4pex5vsknk084sn02q.`;
  const explanation = explanations[pattern];
  if (explanation !== undefined) return `${shown} ${explanation}.`;
  return `${shown} does not have the right form${description === undefined ? `: it must match ${pattern}` : `. ${description.replace(/\.$/, '')}`}.`;
}

function explainAccelerators(value: string, shown: string): string {
  const meant = meantAccelerators(value);
  if (meant !== undefined && !new RegExp(acceleratorsPattern).test(meant))
    return `${shown} asks for too many accelerators: a count has at most five digits.`;
  const hint = meant === undefined ? '' : ` Did you mean "${meant}"?`;
  return `${shown} names no accelerators.${hint} Write kind:count, such as A100-80GB:8, with a kind of ${gpuKinds.join(', ')}; or a TPU slice, such as v5e-8.`;
}

/** Ways in which others write so many: `8xH100`, `8 H100`; `H100:8`, `H100x8`, `H100 8`, `H100=8`. */
const countBefore = /^(\d+)\s*[x×*:]?\s*(?=[a-z])/i;
const countBehind = /\s*[:x×*=\s]\s*([-+.\d]*)$/i;

const vendors = /^(nvidia|google|cloud|tesla|tpu|[-_ ])+/i;

/** What a name that is none of ours stands for, with its count. */
function meantAccelerators(value: string): string | undefined {
  const text = value.trim();
  if (text.length > 64) return undefined;
  const count = countBefore.exec(text)?.[1] ?? countBehind.exec(text)?.[1];
  const kind = text.replace(countBefore, '').replace(countBehind, '').replace(vendors, '');
  const [, named, size = count ?? 8] = /^(v[2-9](?:litepod|[a-z])?)(?:-(\d+))?$/.exec(kind.toLowerCase()) ?? [];
  const generation = tpuGenerations.find(
    (each) => named !== undefined && each.startsWith(named.replace('litepod', 'e')),
  );
  if (generation !== undefined) return `${generation}-${size}`;
  if (/^(none|cpus?)$/i.test(kind)) return 'none';
  const near = kind === '' || named !== undefined ? undefined : nearestGpu(kind);
  if (near === undefined || count === undefined) return near;
  return `${near}:${/^[1-9]\d*$/.test(count) ? count : 1}`;
}
