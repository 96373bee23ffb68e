import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { ApiError } from './errors.ts';
import type { Json, Service } from './messages.ts';
import { numericEnums } from './tpu/numeric-enums.ts';

type Parameter = { location: 'path' | 'query'; type: string; enum?: string[]; required?: boolean; repeated?: boolean };

type Described = {
  id: string;
  httpMethod: string;
  flatPath: string;
  parameters: Record<string, Parameter>;
  request?: { $ref: string };
  response: { $ref: string };
};

type Document = {
  servicePath: string;
  parameters: Record<string, Parameter>;
  methods: Described[];
  schemas: Record<string, Json>;
};

export type Method = {
  /** As Google names it, such as `compute.instances.insert`. */
  id: string;
  service: Service;
  httpMethod: string;
  path: RegExp;
  query: Record<string, Parameter>;
  request: ValidateFunction | undefined;
  /** The message that it answers. */
  message: string;
  response: ValidateFunction;
};

/** Every method of the trimmed documents; see discovery/trim.ts. */
export const methods: readonly Method[] = [...read('compute', 'compute.v1'), ...read('tpu', 'tpu.v2')];

function read(service: Service, name: string): Method[] {
  const document = JSON.parse(readFileSync(join(import.meta.dirname, 'discovery', `${name}.json`), 'utf8')) as Document;
  const ajv = new Ajv({ strict: false, allErrors: false, discriminator: false, validateFormats: false });
  ajv.addSchema({
    $id: service,
    $defs: Object.fromEntries(Object.entries(document.schemas).map(([key, schema]) => [key, toJsonSchema(schema)])),
  });
  const validatorOf = ({ $ref }: { $ref: string }) => ajv.compile({ $ref: `${service}#/$defs/${$ref}` });
  return document.methods.map((method) => ({
    id: method.id,
    service,
    httpMethod: method.httpMethod,
    path: pathPattern(`/${document.servicePath}${method.flatPath}`),
    query: Object.fromEntries(
      Object.entries({ ...document.parameters, ...method.parameters }).filter(
        ([, { location }]) => location === 'query',
      ),
    ),
    request: method.request === undefined ? undefined : validatorOf(method.request),
    message: method.response.$ref,
    response: validatorOf(method.response),
  }));
}

/** `projectsId` is how flat paths name what the service calls `project`. */
function pathPattern(flatPath: string): RegExp {
  const source = flatPath.replace(/\{(\w+?)(?:s?Id)?\}/g, (_all, name: string) => `(?<${name}>[^/:]+)`);
  return new RegExp(`^${source}$`);
}

/** A discovery schema is an old draft of JSON Schema: references are bare names, `any` is a type, nothing is closed. */
function toJsonSchema(schema: Json): Json {
  const {
    $ref,
    type,
    format,
    properties,
    items,
    additionalProperties,
    enum: values,
  } = schema as {
    $ref?: string;
    type?: string;
    format?: string;
    properties?: Record<string, Json>;
    items?: Json;
    additionalProperties?: Json;
    enum?: string[];
  };
  if ($ref !== undefined) return { $ref: `#/$defs/${$ref}` };
  switch (type) {
    case 'any':
      return {};
    case 'array':
      return { type, items: toJsonSchema(items ?? {}) };
    case 'object':
      if (properties === undefined)
        return {
          type,
          ...(additionalProperties === undefined ? {} : { additionalProperties: toJsonSchema(additionalProperties) }),
        };
      return {
        type,
        properties: Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, toJsonSchema(value)])),
        additionalProperties: additionalProperties === undefined ? false : toJsonSchema(additionalProperties),
      };
    case 'string':
      return stringSchema(format, values);
    case undefined:
      return {};
    default:
      return { type };
  }
}

function stringSchema(format: string | undefined, values: string[] | undefined): Json {
  if (values !== undefined) return { type: 'string', enum: values };
  // 64 bits do not fit a JSON number; Google takes both and answers with text.
  if (format === 'int64' || format === 'uint64') return { type: ['string', 'integer'], pattern: '^-?[0-9]+$' };
  if (format === 'google-duration') return { type: 'string', pattern: '^-?[0-9]+(\\.[0-9]{1,9})?s$' };
  return { type: 'string' };
}

export type Matched = { method: Method; params: Record<string, string> };

export function matchMethod(httpMethod: string, path: string): Matched | undefined {
  for (const method of methods) {
    if (method.httpMethod !== httpMethod) continue;
    const found = method.path.exec(path);
    if (found !== null)
      return {
        method,
        params: Object.fromEntries(
          Object.entries(found.groups ?? {}).map(([key, value]) => [key, decodeURIComponent(value)]),
        ),
      };
  }
  return undefined;
}

/**
 * As Google answers what it does not know.
 * @throws ApiError 400.
 */
export function checkRequest({ request, query, service }: Method, search: URLSearchParams, body: unknown): void {
  for (const [name, value] of search) {
    if (isOfAllApis(name, value, service)) continue;
    const parameter = query[name];
    if (parameter === undefined)
      throw invalidArgument(
        service,
        `Invalid JSON payload received. Unknown name "${name}": Cannot bind query parameter. Field '${name}' could not be found in request message.`,
      );
    if (parameter.enum !== undefined && !parameter.enum.includes(value))
      throw invalidArgument(service, `Invalid value at '${name}' (${parameter.type}), "${value}"`);
  }
  if (request === undefined || request(body)) return;
  const [fault] = request.errors ?? [];
  const where = `${fault?.instancePath ?? ''} ${JSON.stringify(fault?.params ?? {})}`;
  throw invalidArgument(
    service,
    `Invalid JSON payload received. ${where}: ${fault?.message ?? 'does not fit its message'}`,
  );
}

/** A parameter of all of Google's APIs, which discovery documents name without its sign. */
function isOfAllApis(name: string, value: string, service: Service): boolean {
  return name === '$alt' && value === numericEnums && service === 'tpu';
}

function invalidArgument(service: Service, message: string): ApiError {
  return new ApiError(400, service === 'compute' ? 'badRequest' : 'INVALID_ARGUMENT', message);
}

/** What the emulator was about to say that Google could not have said: a fault of the emulator. */
export function responseFault({ id, response }: Method, body: unknown): string | undefined {
  if (response(body)) return undefined;
  const [fault] = response.errors ?? [];
  return `${id}: ${fault?.instancePath} ${fault?.message} ${JSON.stringify(fault?.params)}`;
}
