import { expect, test } from 'vitest';
import { readYaml } from '../../src/dashboard/pages/submit/draft.ts';

test('a pattern without quotes, which YAML takes for an alias, is a fault of the text with how to write it', () => {
  expect(readYaml('name: a\noutputs: [*.pt]').fault).toMatch(/alias.*\.pt.*needs quotes, such as "\*\.pt"/s);
  expect(readYaml('name: a\noutputs: ["*.pt"]').spec).toEqual({ name: 'a', outputs: ['*.pt'] });
});

test('an alias whose anchor is there is resolved', () => {
  expect(readYaml('name: &it a\ncommand: *it').spec).toEqual({ name: 'a', command: 'a' });
});
