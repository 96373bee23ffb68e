import { execFile } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';

const run = promisify(execFile);
const account = 'weir@weir-test.iam.gserviceaccount.com';
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const closing: (() => Promise<unknown> | void)[] = [];
/** What Google's IAM was asked to sign, and as whom. */
const signed: { path: string; authorization: string; payload: string }[] = [];
let env: NodeJS.ProcessEnv;

/**
 * A machine of Google's as its client sees it: a metadata server that knows the service account, and IAM behind TLS under its own
 * name, which a proxy leads to us.
 */
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'weir-iam-'));
  closing.push(() => rm(directory, { recursive: true }));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const names = '-subj /CN=iamcredentials.googleapis.com -addext subjectAltName=DNS:iamcredentials.googleapis.com';
  const options = `req -x509 -newkey rsa:2048 -nodes -days 1 ${names}`.split(' ');
  await run('openssl', [...options, '-keyout', key, '-out', cert]);
  const tls = { key: createPrivateKey(await readFile(key)).export({ type: 'pkcs8', format: 'pem' }) };
  const iam = await listening(
    createTlsServer({ ...tls, cert: await readFile(cert) }, (request, response) => void signBlob(request, response)),
  );
  const metadata = await listening(createServer(answerMetadata));
  const proxy = createServer().on('connect', (_request, client, head) => {
    const server = connect(iam, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      server.write(head);
      server.pipe(client).pipe(server);
    });
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
  });
  env = {
    PATH: process.env['PATH'],
    HOME: directory,
    GCE_METADATA_HOST: `127.0.0.1:${metadata}`,
    HTTPS_PROXY: `http://127.0.0.1:${await listening(proxy)}`,
    NO_PROXY: '127.0.0.1',
    NODE_EXTRA_CA_CERTS: cert,
  };
});
afterAll(async () => {
  for (const close of closing) await close();
});

test('without a key file, download URLs are signed by the machine’s service account through IAM', async () => {
  const script = `
    const { createGcsBucket } = await import(${JSON.stringify(new URL('../../src/artifacts/gcs-bucket.ts', import.meta.url).href)});
    const bucket = await createGcsBucket({ name: 'weir-artifacts' });
    const expiresAt = new Date(Date.now() + 60_000);
    console.log(await bucket.createDownloadUrl('tenants/a/uploads/b', { fileName: 'a.bin', expiresAt }));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { env });
  const url = new URL(stdout.trim());
  expect(url.pathname).toBe('/weir-artifacts/tenants/a/uploads/b');
  expect(url.searchParams.get('X-Goog-Credential')).toMatch(`${account}/`);
  expect(signed).toHaveLength(1);
  const [{ path, authorization, payload }] = signed as [(typeof signed)[0]];
  expect([path, authorization]).toEqual([
    `/v1/projects/-/serviceAccounts/${account}:signBlob`,
    'Bearer of-the-metadata-server',
  ]);
  const signature = Buffer.from(url.searchParams.get('X-Goog-Signature') ?? '', 'hex');
  expect(verify('sha256', Buffer.from(payload, 'base64'), publicKey, signature)).toBe(true);
});

async function signBlob(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { payload } = JSON.parse(await text(request)) as { payload: string };
  signed.push({ path: request.url ?? '', authorization: request.headers.authorization ?? '', payload });
  const signedBlob = sign('sha256', Buffer.from(payload, 'base64'), privateKey).toString('base64');
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ keyId: 'k', signedBlob }));
}

const answerMetadata: RequestListener = ({ url = '' }, response) => {
  response.setHeader('metadata-flavor', 'Google');
  const path = url.replace(/^\/computeMetadata\/v1\//, '').replace(/\?.*$/, '');
  const token = { access_token: 'of-the-metadata-server', expires_in: 3600, token_type: 'Bearer' };
  const known: Record<string, string> = {
    instance: 'yes',
    'project/project-id': 'weir-test',
    'universe/universe-domain': 'googleapis.com',
    'instance/service-accounts/default/email': account,
    'instance/service-accounts/default/token': JSON.stringify(token),
  };
  if (path.endsWith('/token')) response.setHeader('content-type', 'application/json');
  const answer = known[path];
  response.writeHead(answer === undefined ? 404 : 200).end(answer);
};

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
