import { createPrivateKey, createSign, type KeyObject } from 'node:crypto';
import { fetchText, Unavailable, type Download, type Fetching } from './download.ts';

/** The secret whose JSON of a service account's key `gs://` inputs are read with; Terraform knows it by this name too. */
const credentialsSecret = 'GOOGLE_CREDENTIALS';
const scope = 'https://www.googleapis.com/auth/devstorage.read_only';

const googleEndpoint = 'https://storage.googleapis.com';

/** A dataset of more files is better packed. */
const maxObjects = 100_000;

/** Cloud Storage as the job's tenant may read it: by its secret where the spec names that, else as anyone may. */
export type GoogleReader = Pick<Fetching, 'headers'> & {
  /**
   * What a `gs://` input names: the object of that name, or where there is none all objects in the folder of that name, each with
   * its path below the input's. @throws Unavailable
   */
  list: (input: Download, fetching: Fetching) => Promise<Download[]>;
};

/** `env`: what the operator passes to jobs, which may name an emulator as Google's clients know it. */
export function createGoogleReader(env: Record<string, string>, secrets: Record<string, string>): GoogleReader {
  const endpoint = env['STORAGE_EMULATOR_HOST'] ?? googleEndpoint;
  const credentials = secrets[credentialsSecret];
  const headers = credentials === undefined ? undefined : headersBy(credentials);
  return {
    ...(headers === undefined ? {} : { headers }),
    list: (input, fetching) => list(endpoint, input, fetching).catch((error: unknown) => explain(error, credentials)),
  };
}

/** Ten minutes before it runs out, a token is signed anew. */
const tokenSeconds = 3600;
const renewedSeconds = 3000;

/**
 * Tokens that the service account signs itself, for which Google need not be asked: a library for them would travel to every machine.
 * @see https://developers.google.com/identity/protocols/oauth2/service-account#jwt-auth
 */
function headersBy(credentials: string): () => Promise<Record<string, string>> {
  let token: { text: string; atSeconds: number } | undefined;
  return async () => {
    const nowSeconds = Math.floor(Date.now() / 1000);
    if (token === undefined || nowSeconds - token.atSeconds > renewedSeconds)
      token = { text: sign(keyOf(credentials), nowSeconds), atSeconds: nowSeconds };
    return { authorization: `Bearer ${token.text}` };
  };
}

type Key = { client_email: string; private_key: KeyObject; private_key_id: string | undefined };

/** Only this type: others name files to read or programs to run, which would be done with the runner's rights. */
function keyOf(credentials: string): Key {
  try {
    const { type, client_email, private_key, private_key_id } = JSON.parse(credentials) as Record<string, string>;
    if (type === 'service_account' && client_email !== undefined && private_key !== undefined)
      return { client_email, private_key: createPrivateKey(private_key), private_key_id };
  } catch {
    // What is wrong with it may be a part of it, and is not said.
  }
  throw new Unavailable(`the secret ${credentialsSecret} is not the JSON of a service account's key`);
}

function sign({ client_email, private_key, private_key_id }: Key, nowSeconds: number): string {
  const head = { alg: 'RS256', typ: 'JWT', kid: private_key_id };
  const claims = { iss: client_email, sub: client_email, scope, iat: nowSeconds, exp: nowSeconds + tokenSeconds };
  const signed = [head, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(private_key, 'base64url')}`;
}

type Listing = { items?: { name: string }[]; nextPageToken?: string };

async function list(endpoint: string, { url, path, ...rest }: Download, fetching: Fetching): Promise<Download[]> {
  const [, bucket = '', name = ''] = /^gs:\/\/([^/]+)\/?(.*)$/s.exec(url) ?? [];
  const objects = `${endpoint}/storage/v1/b/${encodeURIComponent(bucket)}/o`;
  const as = (object: string, place: string): Download => ({
    ...rest,
    url: `${objects}/${encodeURIComponent(object)}?alt=media`,
    path: place,
  });
  if (
    name !== '' &&
    !name.endsWith('/') &&
    (await isThere(`${objects}/${encodeURIComponent(name)}?fields=name`, fetching))
  )
    return [as(name, path)];
  const folder = name === '' || name.endsWith('/') ? name : `${name}/`;
  const found: Download[] = [];
  let page: string | undefined;
  do {
    const query = new URLSearchParams({ prefix: folder, fields: 'items/name,nextPageToken' });
    if (page !== undefined) query.set('pageToken', page);
    const { items = [], nextPageToken } = JSON.parse(await fetchText(`${objects}?${query}`, fetching)) as Listing;
    // The console makes empty objects that stand for folders.
    const files = items.filter((item) => !item.name.endsWith('/'));
    found.push(...files.map((item) => as(item.name, `${path.replace(/\/$/, '')}/${item.name.slice(folder.length)}`)));
    if (found.length > maxObjects)
      throw new Unavailable(`it has more than ${maxObjects} objects; pack them into fewer`);
    page = nextPageToken;
  } while (page !== undefined && page !== '');
  if (found.length === 0) throw new Unavailable(`there is neither an object of this name nor one in such a folder`);
  return found;
}

async function isThere(url: string, fetching: Fetching): Promise<boolean> {
  try {
    await fetchText(url, fetching);
    return true;
  } catch (error) {
    if (error instanceof Unavailable && error.status === 404) return false;
    throw error;
  }
}

function explain(error: unknown, credentials: string | undefined): never {
  const status = error instanceof Unavailable ? error.status : undefined;
  if (status !== 401 && status !== 403) throw error;
  const way =
    credentials === undefined
      ? `it is not public: name ${credentialsSecret} in secrets, with the JSON of a service account's key that may read it`
      : `the account of the secret ${credentialsSecret} may not read it, or it is not there: grant it roles/storage.objectViewer`;
  throw new Unavailable(`Cloud Storage answered HTTP ${status}: ${way}`, status);
}
