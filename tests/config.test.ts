import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../src/config.ts';

function faultsOf(environment: Record<string, string>, yaml = ''): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'weir-config-'));
  const path = join(directory, 'weir.yaml');
  writeFileSync(path, yaml);
  try {
    loadConfig({ WEIR_DATA_DIR: join(directory, 'data'), WEIR_CONFIG: path, ...environment });
    return [];
  } catch (error) {
    return String(error)
      .replaceAll(`${directory}/`, '')
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test('every fault of the configuration is named at once, however many, with its key', () => {
  const faults = faultsOf(
    {
      WEIR_PORT: '99999',
      WEIR_SECRET_KEY: 'abc',
      WEIR_OPERATOR_KEY: 'short',
      DATABASE_URL: 'mysql://x',
      REDIS_URL: 'foo',
    },
    `
publicUrl: ftp://x
provider: {}
providers: { local: { cpus: -1, isolation: docker, usdPerCpuHour: -1, memoryGiB: 0 }, gpc: {} }
bucket: { kind: s3 }
timing: { sweepSecond: 2, leaseSeconds: 0 }
`,
  );
  const named = [
    ['WEIR_PORT', 'WEIR_SECRET_KEY', 'WEIR_OPERATOR_KEY', 'DATABASE_URL', 'REDIS_URL'],
    [
      'publicUrl must',
      'provider is no key',
      'providers.gpc is no key',
      'providers.local.cpus',
      'providers.local.isolation',
    ],
    [
      'providers.local.usdPerCpuHour',
      'providers.local.memoryGiB',
      'bucket is {"kind":"s3"}',
      'timing.sweepSecond',
      'timing.leaseSeconds',
    ],
  ].flat();
  for (const name of named)
    expect(
      faults.filter((fault) => fault.includes(name)),
      name,
    ).toHaveLength(1);
  expect(faults).toHaveLength(named.length);
});

test('a data directory that can’t be one is a fault of the configuration', () => {
  expect(faultsOf({ WEIR_DATA_DIR: '/dev/null' })).toEqual([expect.stringContaining('WEIR_DATA_DIR is /dev/null')]);
  expect(faultsOf({ WEIR_CONFIG: '/nowhere/weir.yaml' })).toEqual([
    expect.stringContaining('WEIR_CONFIG names /nowhere/weir.yaml'),
  ]);
  expect(faultsOf({})).toEqual([]);
});

test('an address of any kind becomes one that runners can reach; one that is none is named', () => {
  const publicUrl = (host: string) => loadConfig({ WEIR_DATA_DIR: tmpdir(), WEIR_HOST: host }).publicUrl;
  expect(['', '0.0.0.0', '::', '::1', 'weir.internal'].map(publicUrl)).toEqual([
    'http://127.0.0.1:8080',
    'http://127.0.0.1:8080',
    'http://[::1]:8080',
    'http://[::1]:8080',
    'http://weir.internal:8080',
  ]);
  expect(faultsOf({ WEIR_HOST: 'a b' })).toEqual([expect.stringContaining('WEIR_HOST is "a b"')]);
});

test('what does not fit at all is named, not stumbled over', () => {
  for (const [yaml, key] of [
    ['bucket: { kind: gcs, name: weir, elsewhere: 5 }', 'bucket'],
    ['bucket: { kind: gcs, name: weir, elsewhere: [null] }', 'bucket'],
    ['signIn: { oidc: { issuer: "https://", clientId: weir, rules: [] } }', 'signIn.oidc.issuer'],
    ['publicUrl: "https://"', 'publicUrl'],
    ['text', 'the file'],
  ] as const)
    expect(faultsOf({}, yaml), yaml).toEqual(expect.arrayContaining([expect.stringContaining(key)]));
  expect(faultsOf({ WEIR_OPERATOR_KEY: 'sixteen but spaces' })).toEqual([expect.stringContaining('WEIR_OPERATOR_KEY')]);
});

test('a policy that no tenant could have is a fault of the configuration', () => {
  expect(
    faultsOf({}, 'policies: { tenant: { caps: { accelerators: { H1000: 1 } } }, pool: { hhiCeiling: 2 } }'),
  ).toEqual([
    expect.stringContaining('policies.pool.hhiCeiling must be <= 1'),
    expect.stringContaining('policies.tenant.caps.accelerators.H1000: "H1000" is no kind of accelerator'),
  ]);
  expect(faultsOf({}, 'policies: { tenant: { weight: 2 }, pool: { halfLife: 3d } }')).toEqual([]);
});

test('every fault of the settings of Google Cloud is named at once, also what does not go together', () => {
  const gcp = (settings: string) => faultsOf({}, `providers: { gcp: ${settings} }`);
  const schema = gcp('{ projectId: My_Project, regions: [], kinds: [H1000], serviceAccount: me, capacityWait: 3 }');
  for (const key of [
    'projectId',
    'regions',
    'kinds.0 is "H1000"; it may be T4,',
    'serviceAccount',
    'capacityWait is no key',
  ])
    expect(
      schema.filter((fault) => fault.includes(`providers.gcp.${key}`)),
      key,
    ).toHaveLength(1);

  const together = gcp(
    '{ projectId: my-project, regions: [us-central1], zones: [us-east1-b], kinds: [L4], flexStart: [H100, T4], capacityWaitSeconds: 60 }',
  );
  expect(together).toEqual([
    expect.stringContaining('providers.gcp.zones.0 is us-east1-b, whose region us-east1 is not in'),
    expect.stringContaining('providers.gcp.flexStart.0 is H100, which is not in providers.gcp.kinds'),
    expect.stringContaining('providers.gcp.flexStart.1 is T4, and Google has no flex-start'),
    expect.stringContaining('providers.gcp.capacityWaitSeconds is 60; flex-start machines wait'),
    expect.stringContaining('publicUrl is http://127.0.0.1:8080, which machines of Google Cloud can'),
    expect.stringContaining('providers.gcp has no network'),
  ]);
  expect(gcp('{ projectId: my-project, regions: [us-central1], apiEndpoint: "http://127.0.0.1:1" }')).toEqual([]);
});
