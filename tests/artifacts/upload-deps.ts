import { afterAll, beforeAll } from 'vitest';
import { createUpload } from '../../src/artifacts/upload.ts';
import { newId } from '../../src/core/ids.ts';
import { hourMs } from '../../src/core/time.ts';
import type { Database } from '../../src/db/database.ts';
import type { NewUpload } from '../../src/protocol/job.ts';
import { test as base } from '../support/database.ts';
import { startObjectServer, type ObjectServer } from './object-server.ts';

/** The bucket of a test file that imports this. */
export let objects: ObjectServer;
beforeAll(async () => {
  objects = await startObjectServer();
});
afterAll(() => objects.close());

export const uploadMs = 24 * hourMs;

/** Deps whose clock stands `aheadMs` from now. */
export function depsAt(db: Database, aheadMs = 0) {
  const now = () => new Date(Date.now() + aheadMs);
  const onError = (error: unknown): void => {
    throw error;
  };
  return { db, bucket: objects.bucket, residence: async () => null, now, uploadMs, downloadMs: uploadMs, onError };
}

export const test = base.extend<{
  make: (tenantId: string, wanted?: NewUpload) => Promise<{ uri: string; url: string; id: string }>;
}>({
  make: async ({ db }, use) => {
    await use((tenantId, wanted = {}) => createUpload(depsAt(db))(tenantId, wanted, newId('upload')));
  },
});
