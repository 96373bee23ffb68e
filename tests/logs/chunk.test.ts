import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { linesOf, maxChunkTextBytes } from '../../src/logs/chunk.ts';
import { at, numbered, pack } from './fixtures.ts';

const chunk = (data: Buffer, lines: number) => ({ firstSeq: 100, lines, attempt: 2, node: 1, at, data });

async function texts(data: Buffer, lines: number, fromSeq = 0) {
  return [...(await linesOf(chunk(data, lines), fromSeq))].map(({ seq, text }) => [seq, text]);
}

test('a line has its number, attempt, node, stream, text and time', async () => {
  const [line] = await linesOf(chunk(pack(['loss 0.5'], 'e'), 1), 0);
  expect(line).toEqual({ seq: 100, attempt: 2, node: 1, stream: 'stderr', text: 'loss 0.5', at: at.toISOString() });
});

test('several members of gzip are one chunk', async () => {
  const data = Buffer.concat([pack(['a', '']), pack(['c'])]);
  expect(await texts(data, 3)).toEqual([[100, 'a'], [101, ''], [102, 'c']]); // prettier-ignore
});

test('lines before the one asked for are left out', async () => {
  expect(await texts(pack(numbered(0, 3)), 3, 102)).toEqual([[102, 'line 2']]);
});

test('a count that lies takes no other chunk’s numbers', async () => {
  expect(await texts(pack(numbered(0, 3)), 2)).toHaveLength(2);
  expect(await texts(pack(numbered(0, 3)), 5)).toHaveLength(3);
});

test('what is no record is shown as it is', async () => {
  const data = gzipSync(
    ['plain', '{"s":"x","t":"y","at":1}', '{"s":"o","t":5}', 'null', '{"s":"o","t":"late","at":1e99}'].join('\n'),
  );
  const lines = [...(await linesOf(chunk(data, 5), 0))];
  expect(lines.map(({ stream, text }) => `${stream} ${text}`)).toEqual([
    'weir plain',
    'weir {"s":"x","t":"y","at":1}',
    'weir {"s":"o","t":5}',
    'weir null',
    'stdout late',
  ]);
  expect(new Set(lines.map((line) => line.at))).toEqual(new Set([at.toISOString()]));
});

test('damage and bombs are one line that says so', async () => {
  const bomb = gzipSync(Buffer.alloc(maxChunkTextBytes + 1));
  expect(bomb.length).toBeLessThan(100_000);
  for (const data of [bomb, pack(numbered(0, 1000)).subarray(0, 50), Buffer.from('not gzip')]) {
    expect(await texts(data, 7)).toEqual([[100, expect.stringContaining('7 lines can’t be shown'.replace('’', "'"))]]);
    expect(await texts(data, 7, 101)).toEqual([]);
  }
});
