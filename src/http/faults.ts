import type { ErrorObject } from 'ajv';
import type { Fault } from '../core/errors.ts';
import { explainPattern } from './patterns.ts';
import { didYouMean } from '../core/nearest.ts';

/** A body of faults alone must not cost more than a body of sense. */
export const maxFaults = 1000;

/** Ajv's errors as faults: one for each mistake, saying where it is, what is wrong and what would be right. */
export function faultsOf(errors: ErrorObject[], pointerOf: (path: string) => string): Fault[] {
  return collapseUnions(errors)
    .slice(0, maxFaults)
    .map((error) => {
      const { path, detail } = explain(error);
      return { pointer: pointerOf(path), detail };
    });
}

type Schema = {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, unknown>;
  patternProperties?: Record<string, unknown>;
  anyOf?: Schema[];
  description?: string;
};

/**
 * Ajv reports every branch of a union, and the union itself after them. What a reader wants is the faults of the branch that was meant,
 * or, where none was, one fault that names the branches.
 */
function collapseUnions(errors: ErrorObject[]): ErrorObject[] {
  const kept: ErrorObject[] = [];
  for (const error of errors) {
    if (error.keyword !== 'anyOf' && error.keyword !== 'oneOf') {
      kept.push(error);
      continue;
    }
    const inside = kept.splice(kept.findLastIndex((before) => !isInside(before, error)) + 1);
    for (const each of branchMeant(inside, error) ?? [{ ...error, keyword: 'union' }]) kept.push(each);
  }
  return kept;
}

function isInside(error: ErrorObject, union: ErrorObject): boolean {
  const isHere = error.instancePath === union.instancePath || error.instancePath.startsWith(`${union.instancePath}/`);
  return isHere && error.schemaPath.startsWith(`${union.schemaPath}/`);
}

function branchMeant(inside: ErrorObject[], union: ErrorObject): ErrorObject[] | undefined {
  const branches = Map.groupBy(
    inside,
    ({ schemaPath }) => schemaPath.slice(union.schemaPath.length + 1).split('/', 1)[0],
  );
  const isOther = ({ keyword, instancePath }: ErrorObject) =>
    ['type', 'const', 'enum', 'union'].includes(keyword) && instancePath === union.instancePath;
  const fitting = [...branches.values()].filter((branch) => !branch.some(isOther));
  const ownFaults = (branch: ErrorObject[]) =>
    branch.filter(({ instancePath }) => instancePath === union.instancePath).length;
  return fitting.toSorted((a, b) => ownFaults(a) - ownFaults(b) || a.length - b.length)[0];
}

type Explained = { path: string; detail: string };

function explain(error: ErrorObject): Explained {
  const { keyword, instancePath, params } = error;
  if (keyword === 'additionalProperties')
    return unknownField(instancePath, String(params['additionalProperty']), schemaOf(error));
  if (keyword === 'required')
    return { path: `${instancePath}/${escapePointer(String(params['missingProperty']))}`, detail: 'This is required.' };
  return { path: instancePath, detail: (details[keyword] ?? asAjvSays)(error) };
}

const details: Record<string, (error: ErrorObject) => string> = {
  enum: (error) => notOneOf(schemaOf(error).enum ?? [], error.data),
  const: (error) => `This must be ${show(schemaOf(error).const)}, not ${show(error.data)}.`,
  type: (error) =>
    error.instancePath === '' && (error.data === null || error.data === undefined)
      ? 'Send a JSON object as the body.'
      : `This must be ${nameOfType(schemaOf(error))}, not ${nameOfValue(error.data)}.`,
  union: (error) => `This must be ${nameOfType(schemaOf(error))}, not ${show(error.data)}.`,
  pattern: (error) => explainPattern(String(error.params['pattern']), String(error.data), schemaOf(error).description),
  minLength: ({ params }) =>
    params['limit'] === 1 ? 'This must not be empty.' : `This must have at least ${params['limit']} characters.`,
  maxLength: ({ params, data }) =>
    `This must have at most ${params['limit']} characters; it has ${String(data).length}.`,
  minItems: ({ params }) =>
    params['limit'] === 1 ? 'This list must not be empty.' : `This must have at least ${params['limit']} items.`,
  maxItems: ({ params, data }) =>
    `This must have at most ${params['limit']} items; it has ${Array.isArray(data) ? data.length : 'more'}.`,
  minimum: ({ params, data }) => `This must be at least ${params['limit']}; it is ${showNumber(data)}.`,
  maximum: ({ params, data }) => `This must be at most ${params['limit']}; it is ${showNumber(data)}.`,
  exclusiveMinimum: ({ params, data }) => `This must be above ${params['limit']}; it is ${showNumber(data)}.`,
  format: ({ params, data }) =>
    `${show(data)} is not ${formats[String(params['format'])] ?? `a ${String(params['format'])}`}.`,
};

function asAjvSays({ message, data }: ErrorObject): string {
  return `This ${message ?? 'is not valid'}${typeof data === 'number' ? `; it is ${data}` : ''}.`;
}

function schemaOf({ parentSchema }: ErrorObject): Schema {
  return (parentSchema ?? {}) as Schema;
}

function notOneOf(allowed: readonly unknown[], value: unknown): string {
  const hint = typeof value === 'string' ? didYouMean(value, allowed.map(String)) : '';
  return `This must be one of ${list(allowed)}, not ${show(value)}.${hint}`;
}

const formats: Record<string, string> = {
  'date-time': 'a time such as 2026-12-01T00:00:00Z',
  date: 'a date such as 2026-12-01',
  uri: 'a URL such as https://example.com/hook',
};

function unknownField(path: string, name: string, { properties, patternProperties = {} }: Schema): Explained {
  const known = Object.keys(properties ?? {});
  const [pattern] = Object.keys(patternProperties);
  const shown = name.length > 64 ? `${name.slice(0, 64)}…` : name;
  const hint = didYouMean(name, known) || (known.length === 0 ? '' : ` The fields here: ${known.join(', ')}.`);
  return {
    path: `${path}/${escapePointer(name)}`,
    detail:
      known.length === 0
        ? pattern === undefined
          ? `"${shown}" is no name that can stand here.`
          : explainPattern(pattern, name, undefined)
        : `There is no field "${shown}" here.${hint}`,
  };
}

/** JSON has no word for what `1e309` becomes. */
function showNumber(value: unknown): string {
  return Number.isFinite(value) ? show(value) : 'too large a number to hold';
}

function nameOfType({ type, enum: allowed, const: only, anyOf }: Schema): string {
  if (anyOf !== undefined) return anyOf.map(nameOfType).join(' or ');
  if (allowed !== undefined) return `one of ${list(allowed)}`;
  if (only !== undefined) return show(only);
  return [type ?? 'value']
    .flat()
    .map((each) => typeNames[each] ?? `a ${each}`)
    .join(' or ');
}

const typeNames: Record<string, string> = {
  object: 'an object',
  array: 'a list',
  integer: 'a whole number',
  boolean: 'true or false',
  string: 'a text',
  null: 'null',
};

function nameOfValue(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : show(value);
}

function show(value: unknown): string {
  if (typeof value === 'object' && value !== null) return nameOfValue(value);
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function list(values: readonly unknown[]): string {
  return values.map((value) => (typeof value === 'string' ? value : show(value))).join(', ');
}

/** A name as one step of a JSON pointer. */
export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
