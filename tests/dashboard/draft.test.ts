import { expect, test } from 'vitest';
import { readYaml, withFieldOf } from '../../src/dashboard/pages/submit/draft.ts';

test('a pattern without quotes, which YAML takes for an alias, is a fault of the text with how to write it', () => {
  expect(readYaml('name: a\noutputs: [*.pt]').fault).toMatch(/alias.*\.pt.*needs quotes, such as "\*\.pt"/s);
  expect(readYaml('name: a\noutputs: ["*.pt"]').spec).toEqual({ name: 'a', outputs: ['*.pt'] });
});

test('an alias whose anchor is there is resolved', () => {
  expect(readYaml('name: &it a\ncommand: *it').spec).toEqual({ name: 'a', command: 'a' });
});

test('a field changed in the form leaves the rest of the text as it was written', () => {
  const text = `# Ours

name: mnist # the baseline
resources:
  # Small
  cpus: 2 # two
  memoryGiB: 4
workload: { parameters: 7e+9 }
command: |
  echo 1 # no comment
  echo 2
`;
  expect(withFieldOf(text, '/resources/cpus', 3)).toBe(text.replace('cpus: 2', 'cpus: 3'));
  expect(withFieldOf(text, '/name', undefined)).toBe(text.replace('name: mnist # the baseline\n', ''));
  expect(withFieldOf(text, '/workload/parameters', undefined)).toBe(
    text.replace('workload: { parameters: 7e+9 }\n', ''),
  );
  expect(withFieldOf(text, '/checkpoints/path', 'ckpt/')).toBe(`${text}checkpoints:\n  path: ckpt/\n`);
});

test('a field is changed alone, also where the text has an alias of it, nothing, or no field at all', () => {
  const specOf = (text: string, pointer: string, value: unknown) => readYaml(withFieldOf(text, pointer, value)).spec;
  expect(specOf('name: &it a\ncommand: *it', '/name', 'b')).toEqual({ name: 'b', command: 'a' });
  expect(specOf('name: &it a\ncommand: *it', '/name', undefined)).toEqual({ command: 'a' });
  expect(specOf('env: &it { A: 1 }\nresources: *it', '/resources/cpus', 2)).toEqual({
    env: { A: 1 },
    resources: { A: 1, cpus: 2 },
  });
  expect(specOf('resources:\nname: a', '/resources/cpus', 2)).toEqual({ resources: { cpus: 2 }, name: 'a' });
  expect(specOf('resources: none', '/resources/cpus', 2)).toEqual({ resources: { cpus: 2 } });
  expect(withFieldOf('', '/resources/cpus', 2)).toBe('resources:\n  cpus: 2\n');
  expect(withFieldOf('name: a', '/name', undefined)).toBe('');
});
