import { expect, onTestFinished, test } from 'vitest';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastProgress, readProgress } from '../../src/runner/progress.ts';
import { readProgressFile } from '../../src/runner/progress-file.ts';

test.each([
  ['weir progress 120/5000 steps', { done: 120, total: 5000, unit: 'steps' }],
  ['weir progress 1.5/3', { done: 1.5, total: 3, unit: null }],
  ['weir progress 7', { done: 7, total: null, unit: null }],
  ['{"weir":{"done":3,"total":10,"unit":"epochs"}}', { done: 3, total: 10, unit: 'epochs' }],
  ['{"weir":{"done":3}}', { done: 3, total: null, unit: null }],
  ['{"weir":{"done":"3"}}', undefined],
  ['{"weir":{"done":1e999}}', undefined],
  [`weir progress ${'9'.repeat(400)}`, undefined],
  ['{"weir":{"done":3,"total":1e999}}', { done: 3, total: null, unit: null }],
  ['{"weir":{"done":3,"unit":"a\\u0000b\\ud83d"}}', { done: 3, total: null, unit: 'a b\ufffd' }],
  [`{"weir":{"done":3,"unit":"${'x'.repeat(31)}😀s"}}`, { done: 3, total: null, unit: `${'x'.repeat(31)}😀` }],
  ['{"weir":null}', undefined],
  ['{"weir', undefined],
  ['weir progress soon', undefined],
  ['the weir progress 1/2', undefined],
])('%j tells %j', (line, progress) => {
  expect(readProgress(line)).toEqual(progress);
});

test('of many lines the last progress counts', () => {
  expect(lastProgress(['weir progress 1/3', 'weir progress 2/3', 'loss 0.1', 'weir is a word'])).toMatchObject({
    done: 2,
  });
});

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-progress-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

test.each([
  ['120/5000 steps', { done: 120, total: 5000, unit: 'steps' }],
  ['weir progress 1/2', { done: 1, total: 2, unit: null }],
  ['{"done":3,"total":10,"unit":"epochs"}', { done: 3, total: 10, unit: 'epochs' }],
  ['{"weir":{"done":3}}', { done: 3, total: null, unit: null }],
  [`${'1/9\n'.repeat(5000)}7/9\n`, { done: 7, total: 9, unit: null }],
  ['null', undefined],
  ['', undefined],
])('a progress file is read from its last line', async (text, progress) => {
  const path = join(await folder(), '.weir-progress');
  await writeFile(path, text);
  if (progress === undefined) expect(readProgressFile(path)).toBeUndefined();
  else expect(readProgressFile(path)).toMatchObject({ ...progress, atMs: expect.any(Number) });
});

test('a progress file that is a link, a pipe or a folder is not read', async () => {
  const directory = await folder();
  await writeFile(join(directory, 'told'), '1/2');
  await symlink(join(directory, 'told'), join(directory, 'link'));
  execFileSync('mkfifo', [join(directory, 'pipe')]);
  for (const path of ['link', 'pipe', '.', 'missing'])
    expect(readProgressFile(join(directory, path)), path).toBeUndefined();
});
