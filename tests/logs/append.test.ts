import { expect } from 'vitest';
import { createAppend } from '../../src/logs/append.ts';
import { readLines, readSomeLines } from '../../src/logs/read.ts';
import { readHead } from '../../src/logs/store.ts';
import { test } from '../support/database.ts';
import { at, insertJob, noBucket, numbered, pack, writerOf } from './fixtures.ts';

const all = { fromSeq: 0, untilSeq: Number.MAX_SAFE_INTEGER };

test('lines are numbered through chunks, attempts and nodes, without gaps', async ({ db }) => {
  const { id } = await insertJob(db);
  const [first, second] = [writerOf(db, id), writerOf(db, id, { attempt: 2, node: 1 })];
  await first(['a', 'b']);
  await second(['c']);
  await first(['d']);
  const lines = await readSomeLines({ db, bucket: noBucket }, id, 0, 10);
  expect(lines.map(({ seq, attempt, node, text }) => [seq, attempt, node, text])).toEqual([
    [0, 1, 0, 'a'],
    [1, 1, 0, 'b'],
    [2, 2, 1, 'c'],
    [3, 1, 0, 'd'],
  ]);
});

test('a chunk delivered many times, also at once, is stored once', async ({ db }) => {
  const { id } = await insertJob(db);
  const append = createAppend(db, () => at);
  const deliver = () =>
    append({ instance: { node: 0 }, job: { id } }, { attempt: 1, firstLine: 0, lines: 2 }, pack(['a', 'b']));
  await Promise.all([deliver(), deliver(), deliver()]);
  await deliver();
  expect((await readHead(db, id))?.nextSeq).toBe(2);
  expect((await readSomeLines({ db, bucket: noBucket }, id, 0, 10)).map(({ text }) => text)).toEqual(['a', 'b']);
});

test('lines that came together and come again one by one are stored once', async ({ db }) => {
  const { id } = await insertJob(db);
  const append = createAppend(db, () => at);
  const deliver = (firstLine: number, texts: string[]) =>
    append({ instance: { node: 0 }, job: { id } }, { attempt: 1, firstLine, lines: texts.length }, pack(texts));
  await deliver(0, ['a', 'b', 'c']);
  for (const [index, text] of ['a', 'b', 'c', 'd'].entries()) await deliver(index, [text]);
  expect((await readHead(db, id))?.nextSeq).toBe(4);
  expect((await readSomeLines({ db, bucket: noBucket }, id, 0, 10)).map(({ text }) => text)).toEqual([
    'a',
    'b',
    'c',
    'd',
  ]);
});

test('nodes that write at once get numbers of their own', async ({ db }) => {
  const { id } = await insertJob(db);
  await Promise.all(
    [0, 1, 2, 3].map(async (node) => {
      const write = writerOf(db, id, { node });
      for (let round = 0; round < 10; round++) await write(numbered(round * 3, 3));
    }),
  );
  const lines = await readSomeLines({ db, bucket: noBucket }, id, 0, 1000);
  expect(lines.map(({ seq }) => seq)).toEqual(Array.from({ length: 120 }, (_, index) => index));
  for (const own of Map.groupBy(lines, ({ node }) => node).values())
    expect(own.map(({ text }) => text)).toEqual(numbered(0, 30));
});

test('a page starts at any line and spans chunks', async ({ db }) => {
  const { id } = await insertJob(db);
  const write = writerOf(db, id);
  for (let first = 0; first < 700; first += 7) await write(numbered(first, 7));
  const page = await readSomeLines({ db, bucket: noBucket }, id, 345, 100);
  expect(page.map(({ text }) => text)).toEqual(numbered(345, 100));
  expect(await readSomeLines({ db, bucket: noBucket }, id, 700, 100)).toEqual([]);
});

test('all is read in batches, up to a line', async ({ db }) => {
  const { id } = await insertJob(db);
  const write = writerOf(db, id);
  for (let first = 0; first < 6000; first += 2000) await write(numbered(first, 2000));
  const sizes: number[] = [];
  for await (const batch of readLines({ db, bucket: noBucket }, id, { ...all, untilSeq: 5001 }))
    sizes.push(batch.length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(5001);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
});

test('what can’t be a chunk is refused', async ({ db }) => {
  const { id } = await insertJob(db);
  const append = createAppend(db, () => at);
  const send = (lines: number, data: Buffer) =>
    append({ instance: { node: 0 }, job: { id } }, { attempt: 1, firstLine: 0, lines }, data);
  await expect(send(1, Buffer.from('plain text'))).rejects.toThrow('not gzip');
  await expect(send(1, Buffer.alloc(0))).rejects.toThrow('not gzip');
  await expect(send(1_000_000, pack(['a']))).rejects.toThrow("can't hold 1000000 lines");
  expect((await readHead(db, id))?.nextSeq).toBe(0);
});
