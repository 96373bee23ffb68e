import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { readSource, root } from '../ratchets/sources.ts';

const run = promisify(execFile);
const program = join(root, 'infra/cli/weir.ts');

/** Each command that the page shows, without what stands for a name. */
const commands = [...readSource('docs/coming-from.md').matchAll(/`weir ([a-z][^`]*)`/g)].map(([, text = '']) => text);

test('each weir command that the page for people from elsewhere shows is one, with flags that it has', async () => {
  expect(commands.length).toBeGreaterThan(10);
  const { stdout: verbs } = await run(process.execPath, [program, '--help']);
  for (const command of new Set(commands)) {
    const own = command.split(' -- ')[0]?.split(' ') ?? [];
    const [verb = '', second = ''] = own;
    expect([verb, verbs]).toEqual([verb, expect.stringMatching(new RegExp(`^  ${verb}( |$)`, 'm'))]);
    const named = /^(artifacts|policy)$/.test(verb) ? [verb, second] : [verb];
    const { stdout: help } = await run(process.execPath, [program, ...named, '--help']);
    for (const flag of own.filter((word) => word.startsWith('-')))
      expect([command, flag, help]).toEqual([
        command,
        flag,
        expect.stringMatching(new RegExp(`(^|[ ,])${flag}([ ,]|$)`, 'm')),
      ]);
  }
});
