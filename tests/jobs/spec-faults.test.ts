import { expect, test } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { specFaults } from '../../src/jobs/spec-faults.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';

const now = new Date('2026-11-24T00:00:00Z');
const pointersOf = (spec: Partial<JobSpec>) =>
  specFaults({ name: 'a', command: 'true', ...spec }, now).map(({ pointer }) => pointer);

test('a deadline that has passed is refused', () => {
  expect(pointersOf({ deadline: '2026-11-23T23:59:59Z' })).toEqual(['/deadline']);
  expect(pointersOf({ deadline: '2026-11-24T02:00:00+01:00' })).toEqual([]);
});

test('a file can’t be where another has its folder', () => {
  expect(pointersOf({ files: { a: '', 'a/b': '', 'c/d/e': '', 'c/d': '', 'ab/c': '' } })).toEqual([
    '/files/a',
    '/files/c~1d',
  ]);
});

test('the path of a file is written plainly', () => {
  expect(pointersOf({ files: { 'x/.': '', 'a/': '', './b': '', 'c//d': '', '.env': '', 'e/..f': '' } })).toEqual([
    '/files/x~1.',
    '/files/a~1',
    '/files/.~1b',
    '/files/c~1~1d',
  ]);
});

test('what no program can be started with is refused: one string too long, or all together', () => {
  expect(pointersOf({ command: 'x'.repeat(131_071), setup: 'x'.repeat(131_071) })).toEqual([]);
  expect(
    pointersOf({ command: 'x'.repeat(131_072), setup: 'é'.repeat(65_536), env: { A: 'x'.repeat(131_070) } }),
  ).toEqual(['/command', '/env/A', '/setup']);
  expect(pointersOf({ command: ['a', 'x'.repeat(131_072)] })).toEqual(['/command/1']);
  expect(pointersOf({ command: Array.from({ length: 9 }, () => 'x'.repeat(131_000)) })).toEqual(['/command']);
});

test('the text \\u0000 is no NUL character', () => {
  expect(pointersOf({ command: "printf '\\u0000'" })).toEqual([]);
});

test('all faults are named at once', () => {
  const job = newId('job');
  expect(pointersOf({ dependsOn: [{ job }, { job }], webhooks: [], files: { a: 'x'.repeat(2 ** 20 + 1) } })).toEqual([
    '/dependsOn/1/job',
    '/files',
  ]);
});
