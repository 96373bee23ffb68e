import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createContainer } from '../../src/runner/container.ts';

test('whatever variables a job has, the engine’s client sees none of them, neither in its environment nor among its arguments', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'weir-container-'));
  onTestFinished(() => rmSync(stateDir, { recursive: true }));
  const plan = {
    program: '/bin/true',
    name: 'weir-test',
    image: 'busybox',
    workDir: '/work',
    tmpDir: '/tmp',
    stateDir,
    uid: process.getuid?.() ?? 0,
    limits: { cpus: 1, memoryBytes: 1e8, diskBytes: 1e8, gpus: [2, 3] },
    devices: ['/dev/accel0'],
    hostEnv: {},
  };
  // Podman's client reads its configuration, with the programs that it runs, from where these lead.
  const led = {
    CONTAINERS_CONF: '/work/evil.conf\n',
    XDG_CONFIG_HOME: 'x'.repeat(70_000),
    CONTAINERS_STORAGE_CONF: 'y',
  };
  const { launch, remove } = createContainer(plan, ['printenv'], led);
  expect(launch.env).toEqual({ PATH: expect.any(String) });
  expect(launch.argv.join(' ')).not.toMatch(/evil|xxxx|CONTAINERS|XDG/);
  expect(launch.argv.join(' ')).toMatch(/--device \/dev\/accel0 --gpus "device=2,3"/);
  const script = join(stateDir, 'container.sh');
  expect(statSync(script).mode & 0o777).toBe(0o600);
  expect(readFileSync(script, 'utf8')).toContain("export CONTAINERS_CONF='/work/evil.conf\n'\n");
  await remove();
  expect(() => statSync(script)).toThrow('ENOENT');
});
