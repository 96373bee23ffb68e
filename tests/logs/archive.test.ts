import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { createFilesystemBucket, type FilesystemBucket } from '../../src/artifacts/filesystem-bucket.ts';
import { dayMs, hourMs } from '../../src/core/time.ts';
import type { Database } from '../../src/db/database.ts';
import { archiveLogs } from '../../src/logs/archive.ts';
import { readSomeLines, type LogDeps } from '../../src/logs/read.ts';
import { removeOldLogs } from '../../src/logs/retention.ts';
import { test as withDatabase } from '../support/database.ts';
import { at, endJob, insertJob, noBucket, numbered, writerOf } from './fixtures.ts';

const later = new Date(at.getTime() + 2 * hourMs);

const test = withDatabase.extend<{ directory: string; bucket: FilesystemBucket }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads what a fixture needs from this pattern
  directory: async ({}, use) => {
    const directory = await mkdtemp(join(tmpdir(), 'weir-archive-'));
    await use(directory);
    await rm(directory, { recursive: true });
  },
  bucket: async ({ directory }, use) => {
    const now = () => later;
    await use(createFilesystemBucket({ directory, publicUrl: 'http://weir.test', secretKey: randomBytes(32), now }));
  },
});

const rethrow = (error: unknown): void => {
  throw error;
};

const archive = (db: Database, bucket: Pick<FilesystemBucket, 'write'>, now = later, onError = rethrow) =>
  archiveLogs({ db, bucket, residence: async () => null, now: () => now, onError });

async function endedJob(db: Database, chunks: string[][]): Promise<string> {
  const { id } = await insertJob(db);
  const write = writerOf(db, id);
  for (const lines of chunks) await write(lines);
  await endJob(db, id);
  await db.client.job.update({ where: { id }, data: { finishedAt: at } });
  return id;
}

const textsOf = async (deps: LogDeps, jobId: string, { fromSeq = 0, limit = 1000 } = {}) =>
  (await readSomeLines(deps, jobId, fromSeq, limit)).map(({ text }) => text);

test('the log of an ended job moves into the bucket, and reads as before', async ({ db, bucket }) => {
  const id = await endedJob(db, [numbered(0, 300), numbered(300, 10), numbered(310, 90)]);
  expect(await archive(db, bucket)).toBe(1);
  await expect(readSomeLines({ db, bucket: noBucket }, id, 0, 1)).rejects.toThrow('no bucket');
  expect(await textsOf({ db, bucket }, id)).toEqual(numbered(0, 400));
  expect(await textsOf({ db, bucket }, id, { fromSeq: 305, limit: 20 })).toEqual(numbered(305, 20));
  expect(await archive(db, bucket)).toBe(0);
});

test('a log to which lines may still come stays in its rows', async ({ db, bucket }) => {
  const { id } = await insertJob(db);
  await writerOf(db, id)(['still running']);
  const justEnded = await endedJob(db, [['just ended']]);
  expect(await archive(db, bucket, new Date(at.getTime() + hourMs / 2))).toBe(0);
  expect((await readSomeLines({ db, bucket: noBucket }, justEnded, 0, 10)).length).toBe(1);
});

test('a worker that died after it wrote the object loses and doubles nothing', async ({ db, bucket, directory }) => {
  const id = await endedJob(db, [['a', 'b'], ['c']]);
  await expect(archive(dyingAtUpdate(db), bucket)).rejects.toMatchObject({ cause: new Error('killed') });
  expect(await textsOf({ db, bucket }, id)).toEqual(['a', 'b', 'c']);
  expect(await archive(db, bucket)).toBe(1);
  expect(await textsOf({ db, bucket }, id)).toEqual(['a', 'b', 'c']);
  expect((await readdir(directory, { recursive: true })).filter((name) => name.endsWith('-log'))).toHaveLength(1);
});

test('a log that can’t be moved keeps none of the others from it', async ({ db, bucket }) => {
  const [stuck, other] = [await endedJob(db, [['stuck']]), await endedJob(db, [['moved']])];
  const told: unknown[] = [];
  const write = (key: string, bytes: Buffer) =>
    key.includes(stuck) ? Promise.reject(new Error('away')) : bucket.write(key, bytes);
  expect(await archive(db, { write }, later, (error) => void told.push(error))).toBe(1);
  expect(told).toMatchObject([{ message: expect.stringContaining(stuck), cause: new Error('away') }]);
  expect(await textsOf({ db, bucket: noBucket }, stuck)).toEqual(['stuck']);
  expect(await textsOf({ db, bucket }, other)).toEqual(['moved']);
});

test('logs are removed after their days, with their objects', async ({ db, bucket, directory }) => {
  const id = await endedJob(db, [['gone one day']]);
  await archive(db, bucket);
  expect(await removeOldLogs({ db, bucket, onError: rethrow }, at)).toBe(0);
  expect(await removeOldLogs({ db, bucket, onError: rethrow }, new Date(at.getTime() + dayMs))).toBe(1);
  expect(await textsOf({ db, bucket }, id)).toEqual([]);
  expect((await readdir(directory, { recursive: true })).filter((name) => name.endsWith('-log'))).toEqual([]);
});

/** The database, but for the moment at which the rows would say where the lines have gone. */
function dyingAtUpdate(db: Database): Database {
  const query = (asked: { text: string }) =>
    asked.text.includes('UPDATE log_chunk') ? Promise.reject(new Error('killed')) : db.pool.query(asked);
  return { ...db, pool: { query } as unknown as Database['pool'] };
}
