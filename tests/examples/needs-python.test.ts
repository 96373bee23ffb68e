import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const examples = join(import.meta.dirname, '../../infra/examples');

test.each(globSync('*/*.py', { cwd: examples }))('%s compiles', (path) => {
  const compile = 'import sys; compile(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1], "exec")';
  expect(execFileSync('python3', ['-c', compile, join(examples, path)]).toString()).toBe('');
});
