import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maxLogLineBytes } from '../../src/protocol/limits.ts';
import { createLineSplitter } from '../../src/runner/log-lines.ts';

function linesOf(chunks: Buffer[]): string[] {
  const splitter = createLineSplitter();
  return [...chunks.flatMap((chunk) => splitter.feed(chunk)), ...splitter.end()];
}

function cutAt(whole: Buffer, cuts: number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return places.slice(1).map((place, index) => whole.subarray(places[index], place));
}

test.each([
  ['a\nb\n', ['a', 'b']],
  ['a\n\nb', ['a', '', 'b']],
  ['a\r\nb\r\n', ['a', 'b']],
  ['\r\n\r\n', ['', '']],
  ['\r 10%\r 20%\n', [' 10%', ' 20%']],
  ['50%\r', ['50%']],
  ['nul\0here\n', ['nul\ufffdhere']],
  ['', []],
])('%j is cut into %j', (text, lines) => {
  expect(linesOf([Buffer.from(text)])).toEqual(lines);
});

test('lines are the same wherever the stream is cut', () => {
  const text = fc
    .array(fc.constantFrom('a', 'ü', '漢', '😀', '\n', '\r', '\r\n', ' '), { maxLength: 60 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.array(fc.nat(400), { maxLength: 12 }), (whole, cuts) => {
      expect(linesOf(cutAt(Buffer.from(whole), cuts))).toEqual(linesOf([Buffer.from(whole)]));
    }),
    { numRuns: 1000 },
  );
});

test('a long line comes in pieces that end between characters and lose nothing', () => {
  const line = `x${'漢😀'.repeat(40_000)}`;
  for (const chunks of [[Buffer.from(`${line}\n`)], cutAt(Buffer.from(`${line}\n`), [7, 65_536, 65_537, 200_001])]) {
    const pieces = linesOf(chunks);
    expect(pieces.join('')).toBe(line);
    expect(Math.max(...pieces.map((piece) => Buffer.byteLength(piece)))).toBeLessThanOrEqual(maxLogLineBytes);
  }
});

test('the length of a line without an end is known, pieces or not', () => {
  const splitter = createLineSplitter();
  for (let count = 0; count < 10; count++) splitter.feed(Buffer.alloc(50_000, 'x'));
  expect(splitter.unbrokenBytes()).toBe(500_000);
  splitter.feed(Buffer.from('\n'));
  expect(splitter.unbrokenBytes()).toBe(0);
});
