export type FieldKind = 'text' | 'lines' | 'number' | 'list' | 'pairs' | 'choice';

export type Field = {
  /** Where it stands in the spec, and where the service names its faults. */
  pointer: string;
  label: string;
  description?: string;
  placeholder?: string;
  kind: FieldKind;
  choices?: string[];
  isRequired?: boolean;
  isWide?: boolean;
};

export type FieldGroup = { title: string; hint?: string; fields: Field[] };

/** What the form asks for; whatever else a spec can say is written as YAML. */
export const groups: FieldGroup[] = [
  {
    title: 'What runs',
    fields: [
      { pointer: '/name', label: 'Name', kind: 'text', isRequired: true, placeholder: 'resnet-baseline', description: 'Jobs of one name share their history' },
      { pointer: '/image', label: 'Container image', kind: 'text', placeholder: 'none', description: 'Left out: what the machine has' },
      { pointer: '/source', label: 'Source', kind: 'text', placeholder: 'weir://uploads/…', description: 'An archive that was uploaded' },
      { pointer: '/command', label: 'Command', kind: 'lines', isRequired: true, isWide: true, placeholder: 'python3 train.py --epochs 10', description: 'Run by a shell' },
      { pointer: '/setup', label: 'Setup', kind: 'lines', isWide: true, placeholder: 'pip install -r requirements.txt', description: 'Once per machine, before the command' },
      { pointer: '/outputs', label: 'Outputs', kind: 'list', placeholder: 'out/', description: 'Files and folders to keep' },
      { pointer: '/env', label: 'Environment', kind: 'pairs', placeholder: 'SEED=1', description: 'NAME=value, one a line' },
      { pointer: '/secrets', label: 'Secrets', kind: 'list', placeholder: 'HF_TOKEN', description: 'Names of the tenant’s secrets' },
    ],
  },
  {
    title: 'On what',
    fields: [
      { pointer: '/resources/accelerators', label: 'Accelerators', kind: 'text', placeholder: 'none: CPU only', description: 'Such as A100-80GB:8, H100 or v5e-8' },
      { pointer: '/resources/cpus', label: 'Cores', kind: 'number', placeholder: '1', description: 'Per node' },
      { pointer: '/resources/memoryGiB', label: 'Memory', kind: 'number', placeholder: '2 per core', description: 'GiB per node' },
      { pointer: '/resources/diskGiB', label: 'Disk', kind: 'number', placeholder: '20', description: 'GiB per node' },
      { pointer: '/resources/nodes', label: 'Nodes', kind: 'number', placeholder: '1', description: 'Machines of one gang' },
      { pointer: '/resources/market', label: 'Market', kind: 'choice', choices: ['any', 'spot', 'on-demand'], placeholder: 'any', description: 'Spot may be taken away' },
    ],
  },
  {
    title: 'How much work it is',
    hint: 'The more of it is known, the narrower the quote.',
    fields: [
      { pointer: '/workload/expectedDuration', label: 'Expected duration', kind: 'text', placeholder: '2h', description: 'What you believe' },
      { pointer: '/workload/preset', label: 'Preset', kind: 'text', placeholder: 'llama-2-7b', description: 'A named model or workload' },
      { pointer: '/workload/parameters', label: 'Parameters', kind: 'number', placeholder: '7e9', description: 'Weights of the model' },
      { pointer: '/workload/tokens', label: 'Tokens', kind: 'number', placeholder: '20e9', description: 'All epochs together' },
      { pointer: '/workload/examples', label: 'Examples', kind: 'number', placeholder: '60000', description: 'In one epoch' },
      { pointer: '/workload/epochs', label: 'Epochs', kind: 'number', placeholder: '10', description: 'Passes over the examples' },
    ],
  },
  {
    title: 'Within what limits',
    fields: [
      { pointer: '/maxDuration', label: 'At most this long', kind: 'text', placeholder: '6h', description: 'Then it is stopped, with notice' },
      { pointer: '/maxCostUsd', label: 'At most this cost', kind: 'number', placeholder: 'the quote’s p90', description: 'Dollars, reserved at the start' },
      { pointer: '/priority', label: 'Priority', kind: 'number', placeholder: '50', description: 'Within the tenant, 0 to 100' },
      { pointer: '/objective', label: 'Prefer', kind: 'choice', choices: ['cheapest', 'fastest'], placeholder: 'cheapest', description: 'Where several can run it' },
      { pointer: '/checkpoints/path', label: 'Checkpoints', kind: 'text', placeholder: 'ckpt/', description: 'A retry goes on from the last' },
      { pointer: '/checkpoints/every', label: 'Checkpoint every', kind: 'text', placeholder: '10m', description: 'How often one is written' },
    ],
  },
]; // prettier-ignore

export const allFields: Field[] = groups.flatMap(({ fields }) => fields);

/** How a field shows what the spec has; undefined for what only the text can show. */
export function textOf(kind: FieldKind, value: unknown): string | undefined {
  if (value === undefined) return '';
  if (kind === 'list') return isStrings(value) ? value.join('\n') : undefined;
  if (kind === 'pairs')
    return typeof value === 'object' && value !== null
      ? Object.entries(value)
          .map(([name, of]) => `${name}=${String(of)}`)
          .join('\n')
      : undefined;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** What a field's text means; what is no number stays text, so that the service says what is wrong with it. */
export function valueOf(kind: FieldKind, text: string): unknown {
  if (text.trim() === '') return undefined;
  switch (kind) {
    case 'number':
      return Number.isFinite(Number(text)) ? Number(text) : text;
    case 'list':
      return linesOf(text);
    case 'pairs':
      return Object.fromEntries(linesOf(text).map(pairOf));
    case 'text':
    case 'choice':
      return text.trim();
    case 'lines':
      return text;
  }
}

const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function pairOf(line: string): [string, string] {
  const at = line.indexOf('=');
  return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}
