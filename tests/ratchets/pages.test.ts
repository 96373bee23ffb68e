import { parse as parseYaml } from 'yaml';
import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { ConfigFile } from '../../src/config.ts';
import { outcomes } from '../../src/jobs/state.ts';
import { readSource } from './sources.ts';

test('docs/jobs.md names every reason with the end it leads to', () => {
  const page = readSource('docs/jobs.md');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (succeeded|failed|cancelled) \|/gm)].map(([, reason, end]) => [
    reason,
    end,
  ]);
  expect(Object.fromEntries(rows)).toEqual(
    Object.fromEntries(Object.entries(outcomes).map(([reason, { end }]) => [reason, end])),
  );
});

test('the file in docs/configuration.md is a good one, and shows every time there is', () => {
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(readSource('docs/configuration.md')) ?? [];
  const file: unknown = parseYaml(example);
  expect([...Value.Errors(ConfigFile, file)]).toEqual([]);
  const { timing } = file as { timing: Record<string, number> };
  const schema = ConfigFile.properties.timing.properties;
  expect(timing).toEqual(
    Object.fromEntries(Object.entries(schema).map(([key, field]) => [key, (field as { default?: number }).default])),
  );
});
