import { createPublicKey, createVerify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { assignmentOf, startFakeBroker } from '../support/fake-broker.ts';
import { startFakeGcs, type FakeGcs } from '../support/fake-gcs.ts';
import { reportOf, startRunner } from '../support/runner-process.ts';

let gcs: FakeGcs;
let bucket: string;
beforeAll(async () => {
  gcs = await startFakeGcs();
  bucket = await gcs.createBucket();
  for (const [name, text] of [
    ['data/a b.txt', 'one'],
    ['data/deep/c.txt', 'two'],
    ['data/deep/', ''],
    ['database/d.txt', 'of another folder'],
    ['model.bin', 'three'],
  ] as const)
    await fetch(
      `${gcs.apiEndpoint}/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${encodeURIComponent(name)}`,
      {
        method: 'POST',
        body: text,
      },
    );
});
afterAll(() => gcs.stop());

/** What the job says that has these inputs and prints all files it finds. */
async function run(uris: string[], { secrets = {}, endpoint = gcs.apiEndpoint } = {}) {
  const inputs = uris.map((uri, index) => ({ uri, path: `in${index}` }));
  const command = 'find in* -type f | sort | while read -r file; do echo "$file: $(cat "$file")"; done';
  const assigned = inputs.map(({ uri: url, path }) => ({ url, path, sha256: null, sizeBytes: null }));
  const broker = await startFakeBroker(
    assignmentOf({ spec: { name: 'a', command, inputs }, inputs: assigned, secrets }),
  );
  onTestFinished(broker.goAway);
  const runner = await startRunner(broker.url(), { boot: { env: { STORAGE_EMULATOR_HOST: endpoint } } });
  const report = await reportOf(broker, runner);
  return { report, lines: broker.texts('o') };
}

/** Passes on what brings a token, as Cloud Storage does with a private bucket. Answers where it is, and the tokens seen. */
async function startPrivateGcs() {
  const tokens: string[] = [];
  const server = createServer((request, answer) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) return void answer.writeHead(401).end();
    tokens.push(token);
    void fetch(`${gcs.apiEndpoint}${request.url}`).then(async (given) =>
      answer.writeHead(given.status).end(Buffer.from(await given.arrayBuffer())),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { tokens, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('gs:// names an object, or all objects of a folder', async () => {
  const { lines } = await run([`gs://${bucket}/model.bin`, `gs://${bucket}/data`, `gs://${bucket}/data/deep/`]);
  expect(lines).toEqual(['in0: three', 'in1/a b.txt: one', 'in1/deep/c.txt: two', 'in2/c.txt: two']);
});

test('what is not there is told', async () => {
  const { report } = await run([`gs://${bucket}/dat`]);
  expect(report).toMatchObject({
    reason: 'input-unavailable',
    message: `The input gs://${bucket}/dat can't be fetched: there is neither an object of this name nor one in such a folder.`,
  });
});

test('a private bucket is read with the tenant’s own credentials, where its spec names them', async () => {
  const { tokens, endpoint } = await startPrivateGcs();
  const key = await readFile(gcs.keyFile, 'utf8');
  const { lines } = await run([`gs://${bucket}/data`], { endpoint, secrets: { GOOGLE_CREDENTIALS: key } });
  expect(lines).toEqual(['in0/a b.txt: one', 'in0/deep/c.txt: two']);
  const [head = '', claims = '', signature = ''] = (tokens[0] ?? '').split('.');
  const { client_email, private_key } = JSON.parse(key) as { client_email: string; private_key: string };
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
    iss: client_email,
    scope: 'https://www.googleapis.com/auth/devstorage.read_only',
  });
  const isSigned = createVerify('RSA-SHA256')
    .update(`${head}.${claims}`)
    .verify(createPublicKey(private_key), signature, 'base64url');
  expect(isSigned).toBe(true);
});

test.each([
  ['without credentials', {}, /answered HTTP 401: it is not public: name GOOGLE_CREDENTIALS in secrets/],
  ['with what is no key', { GOOGLE_CREDENTIALS: '{}' }, /the secret GOOGLE_CREDENTIALS is not the JSON/],
  [
    'with credentials that would run a program here',
    { GOOGLE_CREDENTIALS: JSON.stringify({ type: 'external_account', credential_source: { executable: {} } }) },
    /the secret GOOGLE_CREDENTIALS is not the JSON/,
  ],
])('%s a private bucket stays closed, and the tenant is told what to do', async (_how, secrets, message) => {
  const { endpoint } = await startPrivateGcs();
  const { report } = await run([`gs://${bucket}/data`], { endpoint, secrets });
  expect(report).toMatchObject({ reason: 'input-unavailable', message: expect.stringMatching(message) });
});
