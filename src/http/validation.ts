import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormatsModule from 'ajv-formats';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { invalid, WeirError, type Fault } from '../core/errors.ts';
import { escapePointer, faultsOf, maxFaults } from './faults.ts';
import { closed } from '../protocol/common.ts';
import { isOfIds } from './patterns.ts';

const addFormats = addFormatsModule.default;

type Part = 'body' | 'querystring' | 'params' | 'headers';

/** `verbose` puts the value and its schema beside each error, so that a fault can name what it saw and what it wanted. */
const common = { allErrors: true, useDefaults: true, verbose: true, strict: false } as const;

/** Faults of input are named all at once; a body is taken as it is, while queries and paths, being text, are read as their types. */
export function validateStrictly(app: FastifyInstance): void {
  const strict = withFormats(new Ajv(common));
  const coercing = withFormats(new Ajv({ ...common, coerceTypes: true }));
  app.setValidatorCompiler<object>(({ schema, httpPart }) => {
    const part = (httpPart ?? 'body') as Part;
    const compile = () =>
      part === 'body'
        ? strict.compile(schema)
        : coercing.compile(part === 'querystring' ? { ...schema, additionalProperties: false } : schema);
    // When first used: a process meets few of all schemas, and to compile each took every start long, and memory for good.
    let validate: ValidateFunction | undefined;
    return (data: unknown) => check((validate ??= compile()), part, data);
  });
  refuseUnstorableText(app);
  refuseWhatNoRouteReads(app);
  app.addHook('preValidation', async (request) => {
    if (request.routeOptions.config.bodyIsOptional === true) request.body ??= {};
  });
}

/** A field that is written where none is read was meant for something. An identity provider says on its way back what it likes. */
function refuseWhatNoRouteReads(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (route.config?.access === 'public') return;
    route.schema = { querystring: Type.Object({}, closed), ...route.schema };
  });
  app.addHook('preValidation', async ({ body, routeOptions }) => {
    if (routeOptions.schema?.body !== undefined || !isRecord(body)) return;
    const faults = Object.keys(body).map((name) => ({
      pointer: `/${escapePointer(name)}`,
      detail: 'This takes no body; leave it out.',
    }));
    if (faults.length > 0) throw refusal(faults.slice(0, maxFaults));
  });
}

/** JSON's object, and no stream of bytes. */
function isRecord(body: unknown): body is Record<string, unknown> {
  return typeof body === 'object' && body !== null && Object.getPrototypeOf(body) === Object.prototype;
}

/** RFC 3339 has leap seconds and a year 0; JavaScript's dates don't have the one, PostgreSQL's neither. */
function withFormats(ajv: Ajv): Ajv {
  addFormats(ajv);
  const { validate } = addFormats.get('date-time') as { validate: (text: string) => boolean };
  return ajv.addFormat('date-time', (text: string) => validate(text) && isYearHeld(new Date(text).getUTCFullYear()));
}

function isYearHeld(year: number): boolean {
  return year >= 1 && year <= 9999;
}

function check(validate: ValidateFunction, part: Part, data: unknown) {
  if (validate(data)) return { value: data };
  const errors = validate.errors ?? [];
  if (part === 'params' && errors.every(isUnknownId))
    return {
      error: new WeirError(
        'not-found',
        `There is no ${errors.map(({ instancePath, data: id }) => `${instancePath.slice(1)} ${String(id).slice(0, 80)}`).join(' and no ')}.`,
      ),
    };
  return { error: refusal(faultsOf(errors, pointers[part])) };
}

function isUnknownId({ keyword, params }: ErrorObject): boolean {
  return keyword === 'pattern' && isOfIds(String(params['pattern']));
}

/** In a body a JSON pointer; elsewhere the name as it is written: `?limit`, `{name}`, `Idempotency-Key`. */
const pointers: Record<Part, (path: string) => string> = {
  body: (path) => path,
  querystring: (path) => `?${path.slice(1)}`,
  params: (path) => `{${path.slice(1)}}`,
  headers: (path) => path.slice(1),
};

const faultsInDetail = 5;

function refusal(faults: Fault[]): WeirError {
  const shown = faults
    .slice(0, faultsInDetail)
    .map(({ pointer, detail }) => (pointer === '' ? detail : `${pointer}: ${detail}`));
  const more = faults.length > faultsInDetail ? ` And ${faults.length - faultsInDetail} more, listed in errors.` : '';
  return new WeirError('invalid', `${shown.join(' ')}${more}`, { faults });
}

/** PostgreSQL can hold neither a NUL nor half a surrogate pair; found here, they are the caller's fault and not a failure of ours. */
function refuseUnstorableText(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  const suspicious = /\\u(0000|[dD][89a-fA-F])/;
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text: string, done) => {
    // Clients that always name a type do so of no body, too.
    if (text === '') return done(null, undefined);
    void parse(request, text, (error, body: unknown) => {
      if (error !== null) return done(invalid('', whyUnreadable(text)));
      if (!suspicious.test(text)) return done(null, body);
      const faults = [...unstorable(body)];
      done(faults.length === 0 ? null : refusal(faults), body);
    });
  });
  app.addHook('onRequest', (request, _reply, done) => {
    done(request.url.includes('%00') ? invalid('', 'The address holds a NUL character.') : undefined);
  });
}

function whyUnreadable(text: string): string {
  try {
    JSON.parse(text);
  } catch (error) {
    return `The body can't be read as JSON: ${error instanceof Error ? error.message : 'it is malformed'}.`;
  }
  return 'The body has a field named __proto__ or constructor.prototype, which is not taken.';
}

/** With a stack of its own: a body may be nested deeper than the program's stack goes. */
function* unstorable(body: unknown): Generator<Fault> {
  const isBad = (text: string) => text.includes('\u0000') || !text.isWellFormed();
  const left = [{ value: body, path: '' }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { value, path } = next;
    if (typeof value === 'string' && isBad(value))
      yield { pointer: path, detail: 'This text holds a NUL character or half a surrogate pair.' };
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, member] of Object.entries(value)) {
      if (isBad(name)) yield { pointer: path, detail: 'A name here holds a NUL character or half a surrogate pair.' };
      left.push({ value: member, path: `${path}/${escapePointer(name)}` });
    }
  }
}
