import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bootMetadata } from '../../../src/providers/gcp/boot-metadata.ts';
import { requestOf } from './requests.ts';

const runner = { url: 'https://storage.googleapis.com/b/runner?X-Goog-Signature=1&x=2', sha256: 'a'.repeat(64) };

test('the boot script is one that bash can read', () => {
  const script = bootMetadata(requestOf(), runner, false)['startup-script'] ?? '';
  execFileSync('bash', ['-n'], { input: script });
  expect(script).toMatch(/^#!\/bin\/bash\n/);
});

test('Docker is asked for again while something else holds apt', () => {
  const script = bootMetadata(requestOf(), runner, false)['startup-script'] ?? '';
  const directory = mkdtempSync(join(tmpdir(), 'weir-boot-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const stubs = `
    root=${directory}
    command() { return 1; }
    systemctl() { echo "systemctl $*"; }
    sleep() { echo "sleep $*"; }
    curl() { echo x >>$root/tries; [ "$(wc -l <$root/tries)" -gt 2 ] && echo 'grep Timeout "$APT_CONFIG"' || echo 'exit 100'; }`;
  const [installDocker = ''] = /^install_docker\(\) \{\n[^]*?^\}/m.exec(script) ?? [];
  const printed = execFileSync('bash', [
    '-c',
    ['set -u -o pipefail', stubs, installDocker, 'install_docker'].join('\n'),
  ]);
  expect(printed.toString().trim().split('\n')).toEqual([
    'systemctl stop --no-block apt-daily.timer apt-daily-upgrade.timer unattended-upgrades',
    'sleep 20',
    'sleep 20',
    'DPkg::Lock::Timeout "300";',
  ]);
});

test('a machine learns its own bootstrap token alone, the hosts of a slice those of all', () => {
  const request = requestOf({ gang: { node: 1, bootstrapTokens: ['one', 'two', 'three'] } });
  expect(bootMetadata(request, runner, false)).toMatchObject({ 'weir-node': '0', 'weir-bootstrap-tokens': 'two\n' });
  expect(bootMetadata(request, runner, true)).toMatchObject({
    'weir-node': 'slice',
    'weir-bootstrap-tokens': 'one\ntwo\nthree\n',
  });
});

test('the metadata has the image to prepare for, and nothing of the tenant’s', () => {
  const { 'startup-script': _script, ...told } = bootMetadata(requestOf({ image: 'r/i:1' }), runner, false);
  expect(told).toMatchInlineSnapshot(`
    {
      "weir-boot": "{"brokerUrl":"https://weir.example.org","bootstrapToken":"@TOKEN@","stateDir":"@ROOT@/state","workDir":"@ROOT@/work","tmpDir":"@ROOT@/tmp","hidden":[],"address":"@ADDRESS@","toolDirs":[],"ownsMachine":true,"metadataHost":"@METADATA@","isolation":"@ISOLATION@","env":"@ENVIRONMENT@"}",
      "weir-bootstrap-tokens": "ins_a.secret
    ",
      "weir-broker-url": "https://weir.example.org",
      "weir-image": "r/i:1",
      "weir-node": "0",
      "weir-runner-sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "weir-runner-url": "https://storage.googleapis.com/b/runner?X-Goog-Signature=1&x=2",
    }
  `);
});
