import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from './free-port.ts';
import { waitFor } from './wait.ts';

export type FakeGcs = {
  apiEndpoint: string;
  /** A service account's key of our own making: the emulator knows no accounts, but download URLs are signed with it for real. */
  keyFile: string;
  /** A new empty bucket's name. */
  createBucket: () => Promise<string>;
  stop: () => Promise<void>;
};

/** fake-gcs-server on a free port, with its objects in a temporary directory. */
export async function startFakeGcs(): Promise<FakeGcs> {
  const program = findProgram();
  const directory = await mkdtemp(join(tmpdir(), 'weir-gcs-'));
  const port = await freePort();
  const apiEndpoint = `http://127.0.0.1:${port}`;
  const server = spawn(
    program,
    [
      '-scheme',
      'http',
      '-host',
      '127.0.0.1',
      '-port',
      String(port),
      '-public-host',
      `127.0.0.1:${port}`,
      '-external-url',
      apiEndpoint,
      '-filesystem-root',
      join(directory, 'objects'),
      '-log-level',
      'error',
    ],
    { stdio: 'ignore' },
  );
  const exited = once(server, 'exit');
  await waitFor('fake-gcs-server to answer', () =>
    fetch(`${apiEndpoint}/storage/v1/b`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );

  const keyFile = join(directory, 'key.json');
  await writeFile(keyFile, JSON.stringify(serviceAccount()), { mode: 0o600 });
  let buckets = 0;
  return {
    apiEndpoint,
    keyFile,
    createBucket: async () => {
      const name = `weir-test-${++buckets}`;
      const answer = await fetch(`${apiEndpoint}/storage/v1/b`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name }),
      });
      if (!answer.ok) throw new Error(`fake-gcs-server made no bucket: ${answer.status} ${await answer.text()}`);
      return name;
    },
    stop: async () => {
      server.kill();
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function findProgram(): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), join(homedir(), 'go', 'bin')];
  const program = folders.map((folder) => join(folder, 'fake-gcs-server')).find(isExecutable);
  if (program === undefined) {
    throw new Error(
      'fake-gcs-server is not installed: `go install github.com/fsouza/fake-gcs-server@latest`, or leave this test out with `npm test`.',
    );
  }
  return program;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function serviceAccount(): Record<string, string> {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return {
    type: 'service_account',
    project_id: 'weir-test',
    client_email: 'weir@weir-test.iam.gserviceaccount.com',
    private_key: privateKey,
  };
}
