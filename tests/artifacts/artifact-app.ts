import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect } from 'vitest';
import { promote } from '../../src/artifacts/store.ts';
import type { Database } from '../../src/db/database.ts';
import { artifactRoutes, checkpointRoutes } from '../../src/http/routes/artifacts.ts';
import { runnerUploadRoutes } from '../../src/http/routes/runner-uploads.ts';
import { test as base } from '../support/database.ts';
import { md5Of, put } from './bucket-contract.ts';
import type { RunningJob } from './job-rows.ts';
import { createTestApp, startObjectServer, type ObjectServer } from './object-server.ts';

/** The bucket of a test file that imports this. */
export let objects: ObjectServer;
beforeAll(async () => {
  objects = await startObjectServer();
});
afterAll(() => objects.close());

/** The routes with a caller of the tenant named in the header `tenant`, or the operator. */
export const test = base.extend<{ app: FastifyInstance }>({
  app: async ({ db }, use) => {
    const deps = {
      db,
      bucket: objects.bucket,
      residence: async () => null,
      now: () => new Date(),
      uploadMs: 60_000,
      downloadMs: 60_000,
    };
    const app = createTestApp();
    app.addHook('onRequest', async (request) => {
      const tenantId = request.headers['tenant'];
      request.caller =
        typeof tenantId === 'string'
          ? { actor: 'key', role: 'viewer', tenantId }
          : { actor: 'key', role: 'operator', tenantId: null };
    });
    await app.register(artifactRoutes(deps));
    await app.register(checkpointRoutes(deps));
    await app.register(runnerUploadRoutes(deps));
    await use(app);
    await app.close();
  },
});

export type File = { path: string; text: string; kind?: 'output' | 'checkpoint'; attempt?: number };

function announced({ path, text, kind = 'output', attempt = 1 }: File) {
  const bytes = Buffer.from(text);
  return {
    attempt,
    path,
    kind,
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    md5: md5Of(bytes),
  };
}

export async function ask(
  app: FastifyInstance,
  token: string,
  file: File,
): Promise<{ statusCode: number; id: string; url: string | null; type: string }> {
  const answer = await app.inject({
    method: 'POST',
    url: '/v1/runner/uploads',
    headers: { authorization: `Bearer ${token}` },
    payload: announced(file),
  });
  const ticket: { id: string; url: string | null; type: string } = answer.json();
  return { statusCode: answer.statusCode, ...ticket };
}

export function complete(app: FastifyInstance, token: string, id: string, attempt = 1) {
  return app.inject({
    method: 'POST',
    url: `/v1/runner/uploads/${id}/complete`,
    headers: { authorization: `Bearer ${token}` },
    payload: { attempt },
  });
}

export async function store(app: FastifyInstance, token: string, file: File): Promise<string> {
  const { id, url } = await ask(app, token, file);
  if (url !== null) expect((await put(url, file.text)).status).toBe(200);
  expect((await complete(app, token, id, file.attempt)).statusCode).toBe(204);
  return id;
}

export async function list(
  app: FastifyInstance,
  { jobId, tenantId }: RunningJob,
  query = '',
): Promise<{ items: { path: string; attempt: number; sizeBytes: number }[]; nextCursor: string | null }> {
  return (await app.inject({ url: `/v1/jobs/${jobId}/artifacts${query}`, headers: { tenant: tenantId } })).json();
}

export async function download(app: FastifyInstance, { jobId, tenantId }: RunningJob, path: string): Promise<string> {
  const answer = await app.inject({ url: `/v1/jobs/${jobId}/artifacts/${path}`, headers: { tenant: tenantId } });
  expect(answer.statusCode).toBe(302);
  return (await fetch(String(answer.headers.location))).text();
}

export const problem = (code: string) => `http://127.0.0.1/problems/${code}`;

export const accept = (db: Database, { jobId }: RunningJob, attempt = 1) =>
  db.transaction((tx) => promote(tx, jobId, attempt, new Date()));
