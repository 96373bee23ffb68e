import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import { createFilesystemBucket, type FilesystemBucket } from '../../src/artifacts/filesystem-bucket.ts';
import { answerProblems } from '../../src/http/problems.ts';
import { objectRoutes } from '../../src/http/routes/objects.ts';
import { validateStrictly } from '../../src/http/validation.ts';
import { freePort } from '../support/free-port.ts';

/** A Fastify that validates and answers errors as the API does, for routes under test. */
export function createTestApp(): FastifyInstance {
  const app = fastify();
  answerProblems(app, 'http://127.0.0.1');
  validateStrictly(app);
  return app;
}

export type ObjectServer = {
  url: string;
  directory: string;
  bucket: FilesystemBucket;
  /** Moves the clock that URLs expire by. */
  passSeconds: (seconds: number) => void;
  /** A bucket in the same folder that remembers nothing, as after a restart. */
  reopen: (limits?: { leastFreeBytes?: number }) => Promise<void>;
  close: () => Promise<void>;
};

/** A file system bucket in a temporary folder, its URLs served for real. */
export async function startObjectServer(): Promise<ObjectServer> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-bucket-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const secretKey = randomBytes(32);
  let aheadMs = 0;
  const now = () => new Date(Date.now() + aheadMs);
  const open = (limits: { leastFreeBytes?: number } = {}) =>
    createFilesystemBucket({ directory, publicUrl: url, secretKey, now, ...limits });
  const listen = async (bucket: FilesystemBucket) => {
    const app = createTestApp();
    await app.register(objectRoutes({ bucket }));
    await app.listen({ port, host: '127.0.0.1' });
    return app;
  };
  const close = async (app: FastifyInstance) => {
    app.server.closeAllConnections();
    await app.close();
  };

  const first = open();
  let app = await listen(first);
  const server: ObjectServer = {
    url,
    directory,
    bucket: first,
    passSeconds: (seconds) => {
      aheadMs += seconds * 1000;
    },
    reopen: async (limits) => {
      await close(app);
      server.bucket = open(limits);
      app = await listen(server.bucket);
    },
    close: async () => {
      await close(app);
      await rm(directory, { recursive: true, force: true });
    },
  };
  return server;
}
