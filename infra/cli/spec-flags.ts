import { Option, type Command } from 'commander';

/** A field of a spec that a flag sets. Files say everything; flags what is changed from one job to the next. */
type SpecFlag = {
  flags: string;
  about: string;
  /** Where in the spec, as a JSON pointer. */
  pointer: string;
  /** `list` is put in place of the file's; `more`, `pairs` and `jobs` are added to it. */
  kind: 'text' | 'number' | 'list' | 'more' | 'pairs' | 'jobs';
};

const specFlags: readonly SpecFlag[] = [
  { flags: '--name <name>', pointer: '/name', kind: 'text', about: 'jobs of one name share their history' },
  { flags: '--image <image>', pointer: '/image', kind: 'text', about: 'a container image to run in' },
  { flags: '--setup <command>', pointer: '/setup', kind: 'text', about: 'run once on each machine, before the command' },
  { flags: '--accelerators <kind>', pointer: '/resources/accelerators', kind: 'text', about: 'such as A100-80GB:8' },
  { flags: '--cpus <n>', pointer: '/resources/cpus', kind: 'number', about: 'cores of each node' },
  { flags: '--memory <gib>', pointer: '/resources/memoryGiB', kind: 'number', about: 'GiB of each node' },
  { flags: '--disk <gib>', pointer: '/resources/diskGiB', kind: 'number', about: 'GiB of each node' },
  { flags: '--nodes <n>', pointer: '/resources/nodes', kind: 'number', about: 'machines of one gang' },
  { flags: '--market <market>', pointer: '/resources/market', kind: 'text', about: 'spot, on-demand or any' },
  { flags: '--provider <name>', pointer: '/resources/providers', kind: 'list', about: 'only there, in this order; repeat it' },
  { flags: '--region <name>', pointer: '/resources/regions', kind: 'list', about: 'only there; repeat it' },
  { flags: '--preset <name>', pointer: '/workload/preset', kind: 'text', about: 'a well-known model, such as llama-2-7b' },
  { flags: '--expected-duration <time>', pointer: '/workload/expectedDuration', kind: 'text', about: 'such as 2h, if you know' },
  { flags: '--objective <what>', pointer: '/objective', kind: 'text', about: 'cheapest or fastest' },
  { flags: '--max-duration <time>', pointer: '/maxDuration', kind: 'text', about: 'stop it after so long, such as 6h' },
  { flags: '--max-cost <usd>', pointer: '/maxCostUsd', kind: 'number', about: 'stop it at so many dollars' },
  { flags: '--deadline <time>', pointer: '/deadline', kind: 'text', about: 'such as 2026-12-01T00:00:00Z' },
  { flags: '--priority <n>', pointer: '/priority', kind: 'number', about: 'within your tenant, 0 to 100' },
  { flags: '--array <n>', pointer: '/array/count', kind: 'number', about: 'the same command as so many tasks' },
  { flags: '--after <job>', pointer: '/dependsOn', kind: 'jobs', about: 'once this job has succeeded; repeat it' },
  { flags: '--output <path>', pointer: '/outputs', kind: 'more', about: 'kept as an artifact; repeat it' },
  { flags: '--env <name=value>', pointer: '/env', kind: 'pairs', about: 'a variable of the job’s; repeat it' },
  { flags: '--secret <name>', pointer: '/secrets', kind: 'more', about: 'a secret of your tenant’s as a variable; repeat it' },
  { flags: '--label <name=value>', pointer: '/labels', kind: 'pairs', about: 'repeat it' },
]; // prettier-ignore

export const setFlag = '--set <field=value>';

/** Where a spec comes from, beside flags: a file, and the words behind `--` as its command. */
export type SpecSource = { path: string | undefined; command: string[] };

/** What was typed, by the names that commander gives flags. */
export type GivenSpecFlags = Record<string, unknown>;

export function addSpecFlags(command: Command): Command {
  command.optionsGroup('Fields of the spec, which come before or are added to the file’s:');
  for (const { flags, about, kind } of specFlags) {
    const option = new Option(flags, about);
    command.addOption(kind === 'text' || kind === 'number' ? option : option.argParser(collect));
  }
  return command.addOption(
    new Option(setFlag, 'any field, such as workload.tokens=20e9; repeat it').argParser(collect),
  );
}

function collect(text: string, former: string[] | undefined): string[] {
  return [...(former ?? []), text];
}

/** A field that was set by a flag. `text` is what was typed: of `--set` still to be read as YAML. */
export type FieldFlag = { flag: string; pointer: string; value: unknown };

/** The fields that flags set, in the order of the table above; those of `--set` last, with their values as text. */
export function fieldsOf(given: GivenSpecFlags): { fields: FieldFlag[]; settings: string[] } {
  const fields = specFlags.flatMap(({ flags, pointer, kind }) => {
    const option = new Option(flags);
    const typed = given[option.attributeName()];
    const flag = option.long ?? flags;
    return typed === undefined ? [] : settingsOf(kind, pointer, typed).map((set) => ({ flag, ...set }));
  });
  return { fields, settings: (given['set'] as string[] | undefined) ?? [] };
}

/** What is no number stays as it is: the server says what is wrong with it. A pointer's `-` is the place behind the last of a list. */
function settingsOf(kind: SpecFlag['kind'], pointer: string, typed: unknown): Omit<FieldFlag, 'flag'>[] {
  const each = typed as string[];
  switch (kind) {
    case 'text':
    case 'list':
      return [{ pointer, value: typed }];
    case 'number':
      return [{ pointer, value: Number.isNaN(Number(typed)) ? typed : Number(typed) }];
    case 'more':
      return each.map((value) => ({ pointer: `${pointer}/-`, value }));
    case 'pairs':
      return each.map(splitPair).map(([name, value]) => ({ pointer: `${pointer}/${escaped(name)}`, value }));
    case 'jobs':
      return each.map((job) => ({ pointer: `${pointer}/-`, value: { job } }));
  }
}

/** A name as a part of a JSON pointer. */
export function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function splitPair(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** The flag that sets a field, if there is one. */
export function flagFor(pointer: string): string | undefined {
  const found = specFlags.find((each) => each.pointer === pointer);
  return found === undefined ? undefined : new Option(found.flags).long;
}
