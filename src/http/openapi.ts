import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { Problem } from '../protocol/common.ts';
import type { Access } from './caller.ts';

type Json = { [name: string]: unknown };

const description = `weir brokers training compute: quotes before jobs, jobs on any provider, shares and budgets that hold.

Send a key as \`Authorization: Bearer <key>\`. Errors are RFC 9457 problem details, with every fault of the input in
\`errors\`. Lists are paged by \`limit\` (clamped to 1000) and \`cursor\`. A POST that makes something honours \`Idempotency-Key\`.`;

const tags = [
  { name: 'Tenants', description: 'Teams, their keys, secrets and policies.' },
  { name: 'Quotes', description: 'What a job will cost and take, before it runs.' },
  { name: 'Jobs', description: 'Submitting, following and cancelling work.' },
  { name: 'Artifacts', description: 'Bytes in and out.' },
  { name: 'Shares', description: 'Who used how much of the pool.' },
  { name: 'Operation', description: 'Running weir itself.' },
  { name: 'Runner', description: 'What runners call; not for tenants.' },
];

/** Collects the specification of the routes that are registered after it. */
export async function collectOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'weir', version: '1', description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      servers: [{ url: '/' }],
      tags,
      components: {
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            description: 'A key of POST /v1/tenants/{tenant}/keys, or the operator’s.',
          },
          runner: {
            type: 'http',
            scheme: 'bearer',
            description: 'The token of one attempt, which its runner claimed.',
          },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const { access, idempotent, bodyIsOptional } = route.config ?? {};
      return {
        url,
        schema: {
          ...schema,
          security: securityOf(access),
          ...(access === undefined || access === 'public' || access === 'runner' ? {} : { 'x-role': access }),
          ...(idempotent === undefined ? {} : { headers: idempotencyHeader }),
          ...(isStream(schema) ? { headers: resumptionHeader } : {}),
          ...(bodyIsOptional === true ? { [optionalBody]: true } : {}),
        },
      };
    },
  });
}

/** How the transformation of a route's schema tells `finish`, which takes it out again. */
const optionalBody = 'x-optional-body';

const idempotencyHeader = {
  type: 'object',
  properties: {
    'Idempotency-Key': {
      type: 'string',
      maxLength: 255,
      description: 'Same key and body, same answer; same key and another body, 422.',
    },
  },
};

const resumptionHeader = {
  type: 'object',
  properties: {
    'Last-Event-ID': {
      type: 'integer',
      minimum: 0,
      description: 'Of an event stream: the id of the last event that the client has; it goes on after it.',
    },
  },
};

function isStream({ response }: { response?: unknown } = {}): boolean {
  const { content = {} } = (response as { 200?: { content?: Json } } | undefined)?.[200] ?? {};
  return 'text/event-stream' in content;
}

function securityOf(access: Access | undefined): { [scheme: string]: string[] }[] {
  if (access === undefined || access === 'public') return [];
  return [{ [access === 'runner' ? 'runner' : 'key']: [] }];
}

/** The specification: each titled schema once, by its name, and problems on every operation. */
export function openApiOf(app: FastifyInstance): Json {
  const document = structuredClone(app.swagger()) as unknown as Json & { paths: Json; components: Json };
  const schemas = new Map<string, Json>();
  const problem = {
    description: 'What went wrong.',
    content: { 'application/problem+json': { schema: hoist(structuredClone({ ...Problem }), schemas) } },
  };
  const paths = Object.entries(document.paths).map(([path, operations]) => [
    path.replace('{*}', '{path}'),
    Object.fromEntries(
      Object.entries(operations as Json).map(([method, operation]) => [
        method,
        finish(hoist(operation, schemas) as Operation, problem),
      ]),
    ),
  ]);
  const sorted = [...schemas].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...document,
    paths: Object.fromEntries(paths) as Json,
    components: { ...document.components, schemas: Object.fromEntries(sorted) },
  };
}

type Operation = Json & { parameters?: Json[]; requestBody?: Json; responses: { [status: string]: Json } };

function finish({ [optionalBody]: isOptional, ...operation }: Operation, problem: Json): Operation {
  const { parameters, requestBody, responses } = operation;
  const answers = Object.entries(responses).map(([status, response]) => [status, describe(status, response)]);
  return {
    ...operation,
    ...(isOptional === true ? { requestBody: { ...requestBody, required: false } } : {}),
    ...(parameters === undefined
      ? {}
      : {
          parameters: parameters.map((parameter) =>
            parameter['name'] === '*' ? { ...parameter, name: 'path' } : parameter,
          ),
        }),
    responses: { ...(Object.fromEntries(answers) as Operation['responses']), default: problem },
  };
}

const said: Record<string, string> = {
  '200': 'The answer.',
  '201': 'What was made.',
  '204': 'Done; there is nothing to say.',
};

function describe(status: string, { description, content }: Json): Json {
  const isUnsaid = description === undefined || description === 'Default Response';
  return {
    description: isUnsaid ? (said[status] ?? 'The answer.') : description,
    ...(status.startsWith('3') ? { headers: { Location: { schema: { type: 'string', format: 'uri' } } } } : {}),
    ...(hasBody(status) && content !== undefined ? { content } : {}),
  };
}

function hasBody(status: string): boolean {
  return status !== '204' && !status.startsWith('3');
}

/**
 * Replaces each schema that has a title by a reference, so that a generated client has a type of that name; and says of words that
 * they are text, which generators for typed languages want to be told.
 */
function hoist(node: unknown, schemas: Map<string, Json>): unknown {
  if (Array.isArray(node)) return node.map((member) => hoist(member, schemas));
  if (typeof node !== 'object' || node === null) return node;
  const copy: Json = {
    ...('enum' in node && !('type' in node) ? { type: 'string' } : {}),
    ...Object.fromEntries(Object.entries(node).map(([name, member]) => [name, hoist(member, schemas)])),
  };
  const { title } = copy;
  if (typeof title !== 'string') return copy;
  const known = schemas.get(title);
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(copy))
    throw new Error(`Two different schemas are titled ${title}.`);
  schemas.set(title, copy);
  return { $ref: `#/components/schemas/${title}` };
}
