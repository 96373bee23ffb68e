import { expect, test } from 'vitest';
import { listFiles, readSource } from './sources.ts';

const mostLines = 300;

/** Named here a file may be longer. The list may only shrink. */
const exceptions: string[] = [];

test('no source file is longer than fits in the head', () => {
  const long = ['src', 'prisma', 'infra', 'tests']
    .flatMap((folder) => listFiles(folder, ['.ts', '.tsx', '.css', '.js', '.mjs', '.py', '.sh']))
    .map((path) => ({ path, lines: readSource(path).trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > mostLines);
  expect(long.map(({ path }) => path)).toEqual(exceptions);
});

test('no source file has a name that says nothing', () => {
  const vague = /(^|\/)(utils?|helpers?|common|services?|managers?|index|misc|shared)\.(ts|tsx|js|mjs)$/;
  const found = ['src', 'prisma', 'infra'].flatMap((folder) => listFiles(folder, ['.ts', '.tsx', '.js', '.mjs']));
  expect(found.filter((path) => vague.test(path))).toEqual(['src/protocol/common.ts']);
});
