import { parse as parseYaml } from 'yaml';
import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { ConfigFile } from '../../src/config-file.ts';
import { defaultRetries, outcomes } from '../../src/jobs/state.ts';
import { readSource } from './sources.ts';

test('docs/jobs.md names every reason with what it leads to', () => {
  const rows = [...readSource('docs/jobs.md').matchAll(/^\| (`[^|]+`) \| (succeeded|failed|cancelled|retried) \|/gm)];
  const named = rows.flatMap(([, reasons = '', end]) =>
    [...reasons.matchAll(/`([a-z-]+)`/g)].map(([, reason]) => [reason, end]),
  );
  const retried: readonly string[] = defaultRetries.on;
  const known = Object.entries(outcomes).map(([reason, { end, cause }]) => [
    reason,
    retried.includes(cause) ? 'retried' : end,
  ]);
  expect(Object.fromEntries(named)).toEqual(Object.fromEntries(known));
});

/** Keys of objects within objects, as paths. */
function keysOf(schema: object, above: string[] = []): string[][] {
  const { properties = {} } = schema as { properties?: Record<string, object> };
  return Object.entries(properties).flatMap(([key, inner]) => [[...above, key], ...keysOf(inner, [...above, key])]);
}

function valueAt(file: unknown, path: readonly string[]): unknown {
  return path.reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], file);
}

test('the file in docs/configuration.md is a good one, and shows every key and every time there is', () => {
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(readSource('docs/configuration.md')) ?? [];
  const file: unknown = parseYaml(example);
  expect([...Value.Errors(ConfigFile, file)]).toEqual([]);
  // What a policy holds is another page's.
  const keys = keysOf(ConfigFile).filter(([section, ...within]) => section !== 'policies' || within.length < 2);
  expect(keys.filter((path) => valueAt(file, path) === undefined)).toEqual([]);
  const { timing } = file as { timing: Record<string, number> };
  const schema = ConfigFile.properties.timing.properties;
  expect(timing).toEqual(
    Object.fromEntries(Object.entries(schema).map(([key, field]) => [key, (field as { default?: number }).default])),
  );
});
