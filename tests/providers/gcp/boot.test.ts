import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { bootMetadata } from '../../../src/providers/gcp/boot-metadata.ts';
import { requestOf } from './requests.ts';

const runner = { url: 'https://storage.googleapis.com/b/runner?X-Goog-Signature=1&x=2', sha256: 'a'.repeat(64) };

test('the boot script is one that bash can read', () => {
  const script = bootMetadata(requestOf(), runner, false)['startup-script'] ?? '';
  execFileSync('bash', ['-n'], { input: script });
  expect(script).toMatch(/^#!\/bin\/bash\n/);
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
