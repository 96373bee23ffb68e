import { expect, test } from 'vitest';
import type { Config } from '../../src/config.ts';
import { ownFiles } from '../../src/providers/registry.ts';

test('settings and keys are known wherever they are named', () => {
  const config = {
    gcp: { projectId: 'p', regions: ['r'], keyFile: '/opt/keys/gcp.json' },
    bucket: { kind: 'gcs', name: 'b', projectId: 'p', keyFile: '/opt/keys/bucket.json' },
    googlePrices: { keyFile: '/opt/keys/prices.json' },
    hostEnv: { WEIR_CONFIG: 'weir.yaml', GOOGLE_APPLICATION_CREDENTIALS: '' },
  } as Partial<Config> as Config;
  expect(ownFiles(config)).toEqual([
    `${process.cwd()}/weir.yaml`,
    '/opt/keys/gcp.json',
    '/opt/keys/bucket.json',
    '/opt/keys/prices.json',
  ]);
});
