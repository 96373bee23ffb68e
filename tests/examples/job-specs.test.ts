import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { JobSpec } from '../../src/protocol/job-spec.ts';

const examples = join(import.meta.dirname, '../../infra/examples');
const names = readdirSync(examples, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(join(examples, entry.name, 'job.yaml')))
  .map(({ name }) => name);

const specOf = (name: string) => parse(readFileSync(join(examples, name, 'job.yaml'), 'utf8')) as JobSpec;

test.each(names)('%s: its job.yaml is a job spec, and each file that it names is in the folder', (name) => {
  const spec = specOf(name);
  expect([...Value.Errors(JobSpec, spec)]).toEqual([]);
  expect(spec.name).toBe(name);
  const files = `${spec.setup ?? ''} ${String(spec.command)}`.match(/[\w-]+\.(mjs|py|txt)\b/g) ?? [];
  expect(files.filter((file) => !existsSync(join(examples, name, file)))).toEqual([]);
  expect(files).not.toEqual([]);
});

test.each(names)('%s: the epochs of its command are those of its workload', (name) => {
  const { command, workload } = specOf(name);
  expect(Number(/--epochs (\d+)/.exec(String(command))?.[1])).toBe(workload?.epochs);
});

test.each(names)('%s: its workload is that of the network and the data', async (name) => {
  const network = (await import(pathToFileURL(join(examples, 'digits-mlp/network.mjs')).href)) as Record<
    string,
    number
  >;
  const { readDigits } = (await import(pathToFileURL(join(examples, 'digits-mlp/digits.mjs')).href)) as {
    readDigits: (path: string) => { train: { count: number } };
  };
  expect(specOf(name).workload).toMatchObject({
    parameters: network['parameterCount'],
    flopsPerExample: network['flopsPerExample'],
    examples: readDigits(join(examples, name, 'digits.bin.gz')).train.count,
  });
});
