import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openGoogleAuth } from '../../src/providers/google-auth.ts';

const scopes = ['https://www.googleapis.com/auth/cloud-platform'];
const federation = {
  type: 'external_account',
  audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  token_url: 'https://sts.googleapis.com/v1/token',
};

function openFile(text: string) {
  const directory = mkdtempSync(join(tmpdir(), 'weir-credentials-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const keyFile = join(directory, 'credentials.json');
  writeFileSync(keyFile, text);
  return openGoogleAuth({ keyFile, projectId: 'weir-test', scopes });
}

test.each([
  ['JWT', { type: 'service_account', client_email: 'weir@weir-test.iam.gserviceaccount.com', private_key: 'key' }],
  ['UserRefreshClient', { type: 'authorized_user', client_id: 'a', client_secret: 'b', refresh_token: 'c' }],
  ['IdentityPoolClient', { ...federation, credential_source: { file: '/var/run/token' } }],
  ['AwsClient', { ...federation, credential_source: { environment_id: 'aws1', regional_cred_verification_url: 'x' } }],
])('a file of credentials becomes a %s, and nobody is warned', async (kind, file) => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const auth = await openFile(JSON.stringify(file));
  expect((await auth.getClient()).constructor.name).toBe(kind);
  expect(await auth.getProjectId()).toBe('weir-test');
  if ('client_email' in file) expect(await auth.getCredentials()).toMatchObject({ client_email: file.client_email });
  expect(warn.mock.calls).toEqual([]);
  warn.mockRestore();
});

test.each([
  ['it is not JSON', 'not JSON'],
  ['no file of credentials that weir takes', JSON.stringify({ type: 'other' })],
])('a file that is none of credentials is refused: %s', async (said, text) => {
  await expect(openFile(text)).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(said) });
});
