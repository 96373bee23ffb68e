import { mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { test as base, expect } from 'vitest';
import { listSource, pack } from '../../infra/cli/pack.ts';

type Tree = (files: Record<string, string>) => Promise<string>;

const test = base.extend<{ tree: Tree }>({
  // eslint-disable-next-line no-empty-pattern
  tree: async ({}, use) => {
    const root = await mkdtemp(join(tmpdir(), 'weir-pack-'));
    await use(async (files) => {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(root, path)), { recursive: true });
        await writeFile(join(root, path), text);
      }
      return root;
    });
    await rm(root, { recursive: true, force: true });
  },
});

test('a rule counts from its directory down, and the nearest one has the last word', async ({ tree }) => {
  const root = await tree({
    '.gitignore': '*.log\n/data/\n',
    'a.log': '',
    'data/large': '',
    'sub/data/small': '',
    'sub/.gitignore': '!kept.log\n/own\n',
    'sub/kept.log': '',
    'sub/other.log': '',
    'sub/own': '',
    own: '',
  });
  expect(await listSource(root)).toEqual(['.gitignore', 'own', 'sub/.gitignore', 'sub/data/small', 'sub/kept.log']);
});

test('.weirignore adds to .gitignore, and may take back what that leaves out', async ({ tree }) => {
  const root = await tree({
    '.gitignore': '*.bin\n',
    '.weirignore': 'docs/\n!model.bin\n',
    'docs/a': '',
    'model.bin': '',
    'x.bin': '',
  });
  expect(await listSource(root)).toEqual(['.gitignore', '.weirignore', 'model.bin']);
});

test('a directory inside a repository is under the repository’s rules; .git never goes along', async ({ tree }) => {
  const root = await tree({
    '.git/HEAD': '',
    '.gitignore': '/train/out/\n*.tmp\n',
    'train/main.py': '',
    'train/out/x': '',
    'train/a.tmp': '',
  });
  expect(await listSource(join(root, 'train'))).toEqual(['main.py']);
  expect(await listSource(root)).toEqual(['.gitignore', 'train/main.py']);
});

test('links go along as links; what is not there is said', async ({ tree }) => {
  const root = await tree({ 'a/.gitignore': '*\n', 'a/b': '', 'c/d': '' });
  await symlink('d', join(root, 'c/e'));
  expect(await listSource(join(root, 'c'))).toEqual(['d', 'e']);
  expect(await listSource(join(root, 'a'))).toEqual([]);
  await expect(listSource(join(root, 'nowhere'))).rejects.toThrow('no directory');
});

test('a directory that a rule further up leaves out is taken back by one below it, with what is in it', async ({
  tree,
}) => {
  const root = await tree({
    '.git/HEAD': '',
    '.gitignore': 'data/\n*.tmp\n',
    'data/x': '',
    'train/.weirignore': '# what the job needs\n!data/\n/[ab].py \n\\#notes\n',
    'train/data/x': '',
    'train/data/x.tmp': '',
    'train/deep/data/x': '',
    'train/a.py': '',
    'train/deep/a.py': '',
    'train/#notes': '',
  });
  const kept = ['.weirignore', 'data/x', 'deep/a.py', 'deep/data/x'];
  expect(await listSource(join(root, 'train'))).toEqual(kept);
  expect(await listSource(root)).toEqual(['.gitignore', ...kept.map((path) => `train/${path}`)]);
});

test('rules of a directory hold whatever its name is', async ({ tree }) => {
  const root = await tree({ 'a[1]*/.gitignore': '/x\n*.log\n', 'a[1]*/x': '', 'a[1]*/b/y.log': '', 'a1/x': '' });
  expect(await listSource(root)).toEqual(['a1/x', 'a[1]*/.gitignore']);
});

test('upper and lower case differ in rules, on each machine', async ({ tree }) => {
  const root = await tree({ '.gitignore': 'ENV/\nMANIFEST\n', 'env/settings.py': '', manifest: '', MANIFEST: '' });
  expect(await listSource(root)).toEqual(['.gitignore', 'env/settings.py', 'manifest']);
});

test('a link that the job’s machine would refuse is refused here, by its name and with what to do', async ({
  tree,
}) => {
  const root = await tree({ 'sub/a': '', '..b': '' });
  await symlink('../..b', join(root, 'sub/within'));
  expect(await listSource(root)).toContain('sub/within');
  for (const target of ['/usr/bin/python3', '../../elsewhere', '..', join(root, 'sub/a')]) {
    const link = join(root, target === '..' ? 'python' : 'sub/python');
    await symlink(target, link);
    await expect(listSource(root)).rejects.toMatchObject({
      message: expect.stringContaining(`${relative(root, link)} is a link to ${target}: `),
      exitCode: 2,
      next: expect.stringContaining('.weirignore'),
    });
    await rm(link);
  }
  await symlink('/mnt/data', join(root, 'data'));
  await writeFile(join(root, '.weirignore'), 'data\n');
  expect(await listSource(root)).not.toContain('data');
});

test('the same files are the same bytes, whenever they were written', async ({ tree }) => {
  const root = await tree({ 'a/main.py': 'print()', 'b/main.py': 'print()' });
  await utimes(join(root, 'b/main.py'), 1, 1);
  for (const name of ['a', 'b']) await pack(join(root, name), ['main.py'], join(root, `${name}.tgz`));
  expect((await readFile(join(root, 'a.tgz'))).equals(await readFile(join(root, 'b.tgz')))).toBe(true);
});
