import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Json } from '../messages.ts';

/** Of the message definitions that travel with Google's client. */
type Definition = {
  fields?: Record<string, { type: string; keyType?: string }>;
  nested?: Record<string, Definition>;
  values?: Record<string, number>;
};

/** How a call asks for the numbers of enums in place of their names. */
export const numericEnums = 'json;enum-encoding=int';

const path = createRequire(import.meta.url).resolve('@google-cloud/tpu/build/protos/protos.json');
let read: Record<string, Definition> | undefined;

/** The same message with the numbers of its enums, as the client of Cloud TPU asks for it. `message`: of google.cloud.tpu.v2. */
export function withNumericEnums(message: string, json: Json): Json {
  const definitions = (read ??= readDefinitions());
  return convert(definitions[message], [], json, definitions);
}

function readDefinitions(): Record<string, Definition> {
  let definition = JSON.parse(readFileSync(path, 'utf8')) as Definition;
  for (const name of ['google', 'cloud', 'tpu', 'v2']) definition = definition.nested?.[name] ?? {};
  return definition.nested ?? {};
}

function convert(
  definition: Definition | undefined,
  outer: Definition[],
  json: Json,
  definitions: Record<string, Definition>,
): Json {
  if (definition?.fields === undefined) return json;
  const scopes = [definition, ...outer];
  const valueOf = (type: string, value: unknown): unknown => {
    const found = scopes.map(({ nested }) => nested?.[type]).find((each) => each !== undefined) ?? definitions[type];
    if (Array.isArray(value)) return value.map((each) => valueOf(type, each));
    if (found?.values !== undefined) return found.values[String(value)] ?? value;
    return typeof value === 'object' && value !== null ? convert(found, scopes, value as Json, definitions) : value;
  };
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => {
      const field = definition.fields?.[key];
      return [key, field === undefined || field.keyType !== undefined ? value : valueOf(field.type, value)];
    }),
  );
}
