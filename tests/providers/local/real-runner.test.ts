import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createLocalProvider } from '../../../src/providers/local/provider.ts';
import { waitFor } from '../../support/wait.ts';

test('weir’s own runner claims with its bootstrap token, and one that is refused leaves nothing', async () => {
  const root = await mkdtemp(join(tmpdir(), 'weir-local-'));
  const claims: { url: string | undefined; body: unknown }[] = [];
  const broker = createServer((request, response) => {
    const refuse = (body: unknown) => {
      claims.push({ url: request.url, body });
      response.writeHead(401, { 'content-type': 'application/problem+json' });
      response.end(
        JSON.stringify({
          type: '/problems/unauthorized',
          title: 'Unauthorized',
          status: 401,
          detail: '',
          instance: '',
        }),
      );
    };
    void json(request).then(refuse, refuse);
  }).listen(0, '127.0.0.1');
  await once(broker, 'listening');
  const provider = await createLocalProvider({
    dataDir: root,
    installation: 'test',
    hostId: 'test',
    config: { isolation: 'none' },
    graceMs: 1_000,
    hostEnv: process.env,
    ownFiles: [],
    onError: (error) => {
      throw error;
    },
  });
  const bootstrapToken = 'b'.repeat(43);
  await provider.create({
    name: 'weir-a',
    labels: { installation: 'test', tenant: 'tnt_a', job: 'job_a', attempt: 1 },
    region: 'local',
    zone: 'local',
    machineType: 'local',
    accelerators: { kind: 'cpu', count: 1 },
    market: 'on-demand',
    limits: { cpus: 1, memoryBytes: 1, diskBytes: 1, gpus: [] },
    image: null,
    brokerUrl: `http://127.0.0.1:${(broker.address() as AddressInfo).port}`,
    bootstrapToken,
    gang: { node: 0, bootstrapTokens: [bootstrapToken] },
    maxRunSeconds: 3600,
  });

  await waitFor('the refused runner to be gone', async () => (await provider.list()).length === 0);
  expect(claims).toMatchObject([{ url: '/v1/runner/claim', body: { bootstrapToken, address: '127.0.0.1' } }]);
  await provider.close();
  broker.close();
  await rm(root, { recursive: true });
});
