import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createClient } from '@hey-api/openapi-ts';
import { expect, test } from 'vitest';
import { Value } from 'typebox/value';
import { parse } from 'yaml';
import { NewJob, NewUpload } from '../../src/protocol/job.ts';
import { NewQuote } from '../../src/protocol/quote.ts';
import { NewKey, NewTenant, Policy, PoolPolicy, SecretValue } from '../../src/protocol/tenant.ts';
import { writeSpecification } from '../../src/http/specification.ts';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

type Operation = {
  operationId?: string;
  summary?: string;
  tags?: string[];
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, { example?: unknown; examples?: unknown }> };
  responses: Record<string, { description?: string; content?: Record<string, unknown> }>;
};

type Described = { type?: string; properties?: Record<string, unknown> };

async function operations(): Promise<[string, Operation][]> {
  const { paths } = parse(await writeSpecification()) as { paths: Record<string, Record<string, Operation>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation] as [string, Operation]),
  );
}

test('openapi.yaml is what the routes say: `npm run openapi` writes it', async () => {
  expect(await readFile(join(root, 'openapi.yaml'), 'utf8')).toBe(await writeSpecification());
});

test('every operation has a name of its own, a summary, a tag and problems', async () => {
  const all = await operations();
  const incomplete = all.filter(
    ([, { operationId, summary, tags, responses }]) =>
      operationId === undefined || summary === undefined || tags?.length !== 1 || !('default' in responses),
  );
  expect(incomplete.map(([name]) => name)).toEqual([]);
  expect(new Set(all.map(([, { operationId }]) => operationId)).size).toBe(all.length);
});

test('every stream says how a client that lost its connection goes on', async () => {
  const streams = (await operations()).filter(([, { responses }]) => responses['200']?.content?.['text/event-stream']);
  expect(streams.map(([name]) => name)).toHaveLength(3);
  for (const [name, { parameters = [] }] of streams)
    expect([name, parameters]).toEqual([name, expect.arrayContaining([expect.objectContaining({ name: 'Last-Event-ID', in: 'header' })])]); // prettier-ignore
});

test('of words it says that they are text, and of a problem what it may tell beside its detail', async () => {
  const { components } = parse(await writeSpecification()) as { components: { schemas: Record<string, Described> } };
  expect(components.schemas['JobState']).toMatchObject({ type: 'string' });
  expect(Object.keys(components.schemas['Problem']?.properties ?? {})).toEqual(
    expect.arrayContaining(['blockers', 'smallestChange', 'quoted', 'requoted', 'risePercent', 'down']),
  );
});

test('every answer says what it is, and every body that a client writes shows one that is accepted', async () => {
  for (const [name, { responses, requestBody, tags }] of await operations()) {
    for (const [status, { description = '' }] of Object.entries(responses))
      expect([name, status, description]).not.toEqual([name, status, expect.stringMatching(/^(Default Response)?$/)]);
    const body = requestBody?.content['application/json'];
    if (body === undefined || tags?.includes('Runner') === true) continue;
    expect([name, body.example ?? body.examples]).not.toEqual([name, undefined]);
  }
  for (const body of [NewTenant, NewKey, SecretValue, Policy, PoolPolicy, NewQuote, NewJob, NewUpload]) {
    const { title, examples } = body as { title?: string; examples?: unknown[] };
    for (const example of examples ?? []) expect([title, Value.Check(body, example)]).toEqual([title, true]);
  }
});

test('a stranger’s generator makes a client of it that compiles, with types by our names', async () => {
  const directory = await mkdtemp(join(root, 'node_modules/.weir-client-'));
  await createClient({
    input: join(root, 'openapi.yaml'),
    output: { path: directory, module: { extension: '.ts' } },
    logs: { level: 'silent', file: false },
  });
  const use = `
    import { submitJob, type Job, type NewJob } from './index.ts';
    const body: NewJob = { name: 'train', command: ['true'], resources: { accelerators: 'A100-80GB:8' }, env: { SEED: '1' } };
    const { data } = await submitJob({ baseUrl: 'http://127.0.0.1', auth: 'weir_…', body, headers: { 'Idempotency-Key': 'a' } });
    export const job: Job | undefined = data;
    export const state: 'queued' | 'provisioning' | 'running' | 'stopping' | 'succeeded' | 'failed' | 'cancelled' | undefined = data?.state;`;
  await writeFile(join(directory, 'use.ts'), use);
  const options = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--target',
    'es2024',
    '--module',
    'nodenext',
    '--allowImportingTsExtensions',
    '--lib',
    'es2024,dom,dom.iterable',
  ];
  await run(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    '--ignoreConfig',
    ...options,
    join(directory, 'use.ts'),
  ]).catch((error: { stdout?: string }) => {
    throw new Error(`The generated client does not compile:\n${error.stdout}`);
  });
  await rm(directory, { recursive: true });
});
