import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Type } from 'typebox';
import { ConfigFile } from '../../src/config-file.ts';

type Hcl = { [key: string]: Hcl | Hcl[] | string };
type Blocks = { kind: string; labels: string[]; body: Hcl }[];

const folder = join(import.meta.dirname, '../../infra/terraform');
const directory = mkdtempSync(join(tmpdir(), 'weir-terraform-'));
let blocks: Blocks;

/** Read by python-hcl2: `terraform validate` wants Google's provider, from a registry that is not npm's, PyPI's or Debian's. */
beforeAll(() => {
  const pip = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--break-system-packages',
    '--target',
    directory,
    'python-hcl2==8.1.4',
  ];
  execFileSync('python3', pip, { stdio: 'ignore' });
  const script = `
import glob, hcl2, json, sys
print(json.dumps([hcl2.load(open(path)) for path in sorted(glob.glob(sys.argv[1] + "/*.tf"))]))`;
  const env = { ...process.env, PYTHONPATH: directory };
  const files = JSON.parse(execFileSync('python3', ['-c', script, folder], { env }).toString()) as Record<
    string,
    Hcl[]
  >[];
  blocks = files.flatMap((file) => Object.entries(file).flatMap(([kind, bodies]) => bodies.map(blockOf(kind))));
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true }));

/** How many names stand between a block's kind and its body. */
const labelCounts: Record<string, number> = { resource: 2, data: 2, variable: 1, output: 1, provider: 1 };

function blockOf(kind: string) {
  return (block: Hcl): Blocks[0] => {
    const labels: string[] = [];
    let body = block;
    while (labels.length < (labelCounts[kind] ?? 0)) {
      const [label = ''] = Object.keys(body);
      labels.push(label.replaceAll('"', ''));
      body = body[label] as Hcl;
    }
    return { kind, labels, body };
  };
}

describe('infra/terraform', () => {
  test('refers to nothing that it does not define, and defines no variable that it does not use', () => {
    const known = new Set(
      blocks.flatMap(({ kind, labels, body }) => {
        if (kind === 'locals') return Object.keys(body).map((name) => `local.${name}`);
        const prefix = { variable: 'var.', data: 'data.', resource: '' }[kind];
        return prefix === undefined ? [] : [`${prefix}${labels.join('.')}`];
      }),
    );
    const references = new Set(
      JSON.stringify(blocks).match(
        /\b(var\.\w+|local\.\w+|(?<![.\w])(data\.)?(google|random)_\w+\.\w+)(?=[\s.[\]})"\\,:?]|$)/g,
      ),
    );
    expect(references.size).toBeGreaterThan(40);
    expect([...references].filter((name) => !known.has(name))).toEqual([]);
    expect([...known].filter((name) => name.startsWith('var.') && !references.has(name))).toEqual([]);
  });

  test('writes a configuration of which weir knows every key', () => {
    const locals = Object.assign({}, ...blocks.filter(({ kind }) => kind === 'locals').map(({ body }) => body)) as Hcl;
    const { config } = locals as { config: Hcl };
    expect(config).toMatchObject({ providers: { gcp: expect.anything() }, prices: expect.anything() });
    expect(unknownKeys(config, ConfigFile, '')).toEqual([]);
  });
});

/** Keys for which the schema has no property; values that Terraform computes are looked at by nobody. */
function unknownKeys(value: unknown, schema: Type.TSchema, path: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const { properties = {} } = schema as { properties?: Record<string, Type.TSchema> };
  return Object.entries(value).flatMap(([name, inner]) => {
    const property = properties[name.replaceAll('"', '')];
    return property === undefined ? [`${path}/${name}`] : unknownKeys(inner, property, `${path}/${name}`);
  });
}
