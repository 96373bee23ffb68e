import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { LineCounter, parse, parseDocument, visit, type Document, type Node } from 'yaml';
import type { Fault } from '../../src/core/errors.ts';
import { exitCodes, Failure, usageFailure } from './failure.ts';
import { escaped, fieldsOf, flagFor, type FieldFlag, type GivenSpecFlags, type SpecSource } from './spec-flags.ts';

/** Fields from a YAML or JSON file and from flags, which know where each was written. */
export type SpecFile = {
  value: Record<string, unknown>;
  /** Runs a call that sends the value; a fault that the server finds in it is shown at its line or flag. */
  placing: <T>(call: () => Promise<T>) => Promise<T>;
};

type Read = { name: string; document: Document; lines: LineCounter };
type Written = { file: Read | undefined; flags: FieldFlag[] };

/** `-` is what comes in by the pipe. */
export async function readSpecFile(path: string): Promise<SpecFile> {
  const { read, value } = await readFields(path);
  return { value, placing: placingBy({ file: read, flags: [] }) };
}

/** The file, if one is named, and over it what the flags and the words behind `--` say. */
export async function readSpec({ path, command }: SpecSource, given: GivenSpecFlags): Promise<SpecFile> {
  const file = path === undefined ? undefined : await readFields(path);
  const { fields, settings } = fieldsOf(given);
  const written = [
    ...(command.length === 0 ? [] : [{ flag: 'the command behind --', pointer: '/command', value: command }]),
    ...fields,
    ...settings.map(readSetting),
  ];
  if (file === undefined && written.length === 0)
    throw usageFailure(
      'Which job? Name a spec, or say it with flags.',
      'weir quote job.yaml, or weir quote --name NAME -- COMMAND',
    );
  const value = structuredClone(file?.value ?? {});
  const flags = written.map((flag) => ({ ...flag, pointer: setAt(value, flag) }));
  return { value, placing: placingBy({ file: file?.read, flags }) };
}

/** `workload.tokens=20e9`, its value as YAML. */
function readSetting(setting: string): FieldFlag {
  const at = setting.indexOf('=');
  if (at < 1) throw usageFailure(`--set ${setting} sets nothing; write it like --set workload.tokens=20e9.`);
  const path = setting.slice(0, at);
  try {
    return { flag: `--set ${path}`, pointer: `/${path.split('.').join('/')}`, value: parse(setting.slice(at + 1)) };
  } catch {
    throw usageFailure(`--set ${path}: the value is not valid YAML.`);
  }
}

/** Sets a field, whatever lies around it, and answers where it then is: `-` is the place behind the last of a list. */
function setAt(fields: Record<string, unknown>, { pointer, value }: FieldFlag): string {
  const parts = partsOf(pointer);
  const last = parts.pop() ?? '';
  let holder = fields;
  for (const [index, part] of parts.entries()) {
    const isList = index === parts.length - 1 && last === '-';
    const inner = holder[part];
    const isHolder = typeof inner === 'object' && inner !== null && (!isList || Array.isArray(inner));
    const next = (isHolder ? inner : isList ? [] : {}) as Record<string, unknown>;
    Object.assign(holder, { [part]: next });
    holder = next;
  }
  const name = Array.isArray(holder) && last === '-' ? String(holder.length) : last;
  Object.assign(holder, { [name]: value });
  return pointer.replace(/[^/]*$/, escaped(name));
}

async function readFields(path: string): Promise<{ read: Read; value: Record<string, unknown> }> {
  const text = await readText(path);
  const name = path === '-' ? 'stdin' : path;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults = document.errors.map(({ message, pos: [at] }) => ({
    pointer: placeOf(name, lines, at),
    detail: message,
  }));
  if (faults.length > 0) throw new Failure(`${name} is not valid YAML.`, { exitCode: exitCodes.usage, faults });
  const value = valueOf(document, name, lines);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw usageFailure(`${name} holds no fields, such as name: value.`);
  return { read: { name, document, lines }, value: value as Record<string, unknown> };
}

/** An alias without an anchor is a fault of the file's that YAML's parser leaves to whoever wants the values. */
function valueOf(document: Document, name: string, lines: LineCounter): unknown {
  try {
    return document.toJS();
  } catch (error) {
    const faults: Fault[] = [];
    visit(document, {
      Alias: (_key, alias) => {
        if (alias.resolve(document) !== undefined) return;
        const detail = `*${alias.source} is an alias of YAML’s, and nothing here has this anchor. Is it a text? Write "*${alias.source}".`;
        faults.push({ pointer: placeOf(name, lines, alias.range?.[0] ?? 0), detail });
      },
    });
    if (faults.length === 0) faults.push({ pointer: name, detail: (error as Error).message });
    throw new Failure(`${name} is not valid YAML.`, { exitCode: exitCodes.usage, faults });
  }
}

async function readText(path: string): Promise<string> {
  if (path === '-') return readAll(process.stdin);
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw usageFailure(`There is no file ${path}.`);
    throw usageFailure(`${path} can't be read: ${error.message}`);
  });
}

function placingBy(written: Written): SpecFile['placing'] {
  return (call) => call().catch((error: unknown) => Promise.reject(placed(error, written)));
}

function placed(error: unknown, written: Written): unknown {
  if (!(error instanceof Failure) || error.faults.length === 0) return error;
  return error.with({ faults: error.faults.map((fault) => withPlace(fault, written)) });
}

/** The flag that set a field, else the line of the file, else the flag that could have set what is missing. */
function withPlace({ pointer, detail }: Fault, { file, flags }: Written): Fault {
  if (!pointer.startsWith('/')) return { pointer, detail };
  const flag = flags.findLast((each) => pointer === each.pointer || pointer.startsWith(`${each.pointer}/`));
  if (flag !== undefined) return { pointer: flag.flag, detail };
  const [within, ...others] = flags.filter((each) => each.pointer.startsWith(`${pointer}/`));
  const isInFile = file?.document.hasIn(partsOf(pointer)) === true;
  if (within !== undefined && others.length === 0 && !isInFile) return { pointer: within.flag, detail };
  if (file === undefined) return { pointer: flagFor(pointer) ?? pointer, detail };
  const node = file.document.getIn(partsOf(pointer), true) as Node | undefined;
  const at = node?.range?.[0];
  return { pointer: at === undefined ? pointer : `${placeOf(file.name, file.lines, at)} ${pointer}`, detail };
}

function partsOf(pointer: string): string[] {
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function placeOf(name: string, lines: LineCounter, at: number): string {
  const { line, col } = lines.linePos(at);
  return `${name}:${line}:${col}`;
}
