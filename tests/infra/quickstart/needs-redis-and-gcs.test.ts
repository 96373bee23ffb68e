import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startFakeGcs } from '../../support/fake-gcs.ts';
import { startRedis } from '../../support/redis.ts';

const run = promisify(execFile);
const quickstart = join(import.meta.dirname, '../../../infra/quickstart/quickstart.ts');

test('the quickstart runs with its queues in Redis and its artifacts in Cloud Storage', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'weir-quickstart-'));
  const [redis, gcs] = await Promise.all([startRedis(), startFakeGcs()]);
  try {
    const configPath = join(dataDir, 'weir.json');
    const { apiEndpoint, keyFile } = gcs;
    const bucket = { kind: 'gcs', name: await gcs.createBucket(), projectId: 'weir-test', apiEndpoint, keyFile };
    // YAML reads JSON.
    await writeFile(configPath, JSON.stringify({ bucket }));
    const env = { ...process.env, WEIR_DATA_DIR: dataDir, WEIR_CONFIG: configPath, REDIS_URL: redis.url };
    const { stdout } = await run(process.execPath, [quickstart, '--once'], { env, timeout: 180_000 });
    expect(stdout).toContain('succeeded');
    expect(stdout).toContain('out/');
  } finally {
    await Promise.all([redis.stop(), gcs.stop()]);
    await rm(dataDir, { recursive: true, force: true });
  }
});
