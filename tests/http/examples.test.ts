import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Role } from '../../src/protocol/tenant.ts';
import { createDatabase } from '../support/database.ts';
import { createInstallation, type Client, type Installation } from '../support/service.ts';

type Body = { example?: unknown; examples?: Record<string, { value: unknown }> };
type Operation = { 'x-role'?: Role; tags: string[]; requestBody?: { content: { 'application/json': Body } } };
type Example = { name: string; role: Role | undefined; method: string; path: string; body: unknown };

let installation: Installation;
let drop: () => Promise<void>;
let alice: Client;

beforeAll(async () => {
  const database = await createDatabase();
  drop = database.drop;
  installation = await createInstallation({ databaseUrl: database.url });
  await installation.start();
  alice = await installation.tenant('alice');
});
afterAll(async () => {
  await installation.remove();
  await drop();
});

/** Each example of a body that the reference shows, in its order. */
async function examplesShown(): Promise<Example[]> {
  const { paths } = await alice.get<{ paths: Record<string, Record<string, Operation>> }>('/openapi.json');
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { 'x-role': role, tags, requestBody }]) => {
      if (requestBody === undefined || tags.includes('Runner')) return [];
      const { example, examples = { example: { value: example } } } = requestBody.content['application/json'];
      return Object.entries(examples).map(([which, { value: body }]) => ({
        name: `${method} ${path} ${which}`,
        role,
        method: method.toUpperCase(),
        path,
        body,
      }));
    }),
  );
}

/** As a reader would send it: with its own ids, key and secret in place of those that are shown. */
function send({ role, method, path, body }: Example) {
  const address = path.replace('{tenant}', alice.tenantId).replace('{name}', 'HF_TOKEN');
  const text = JSON.stringify(body)
    .replace(/tnt_\w{26}/, alice.tenantId)
    .replace('weir_…', alice.key);
  return (role === 'operator' ? installation.operator : alice).call(method, address, JSON.parse(text));
}

test('every example that the reference shows can be sent as it stands, each with the answer that it describes', async () => {
  const refused = [];
  const examples = await examplesShown();
  for (const example of examples) {
    const { status, body } = await send(example);
    if (status >= 300) refused.push([example.name, status, body]);
  }
  expect(examples.map(({ path }) => path)).toEqual(expect.arrayContaining(['/v1/quotes', '/v1/jobs', '/v1/uploads']));
  // This machine has no A100.
  expect(refused).toEqual([
    [
      'post /v1/jobs A training run',
      422,
      expect.objectContaining({ type: expect.stringMatching(/\/can-never-start$/) }),
    ],
  ]);
});
