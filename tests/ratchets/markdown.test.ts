import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { listFiles, readSource, root } from './sources.ts';

const pages = listFiles('.', ['.md']);

test('every npm command in a page exists', () => {
  const { scripts } = JSON.parse(readSource('package.json')) as { scripts: Record<string, string> };
  const missing = pages.flatMap((page) =>
    [...readSource(page).matchAll(/\bnpm (?:run ([\w:-]+)|(test|start)\b)/g)]
      .map(([, run, short]) => run ?? short ?? '')
      .filter((name) => !(name in scripts))
      .map((name) => `${page}: npm run ${name}`),
  );
  expect(missing).toEqual([]);
});

test('no page has TypeScript run by a Node that may be too old for it: npx brings the right one', () => {
  const runs = pages.flatMap((page) =>
    [...readSource(page).matchAll(/(?<!npx )\bnode (?:-\S+ )*[\w./-]+\.ts\b/g)].map(([line]) => `${page}: ${line}`),
  );
  expect(runs).toEqual([]);
});

test('every relative link in a page leads somewhere', () => {
  const missing = pages.flatMap((page) =>
    [...readSource(page).matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(join(root, dirname(page), decodeURIComponent(target))))
      .map((target) => `${page} → ${target}`),
  );
  expect(missing).toEqual([]);
});

test('every page under docs is in its index', () => {
  const index = readSource('docs/README.md');
  const lost = listFiles('docs', ['.md'])
    .filter((page) => page !== 'docs/README.md')
    .filter((page) => !index.includes(`(${page.slice('docs/'.length)})`));
  expect(lost).toEqual([]);
});
