import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type * as library from 'google-auth-library';
import type {
  AnyAuthClient,
  AwsClientOptions,
  BaseExternalAccountClient,
  GoogleAuth,
  IdentityPoolClientOptions,
  PluggableAuthClientOptions,
} from 'google-auth-library';
import { WeirError } from '../core/errors.ts';

export type GoogleAuthOptions = {
  /** A file of credentials; left out: the application default credentials of the environment. */
  keyFile?: string | undefined;
  projectId?: string | undefined;
  scopes: string[];
};

type Account = { client_email: string; private_key: string };

type Library = typeof library;

/** Of workload identity federation: where the proof of who weir is comes from AWS, from a program, or from a file or an address. */
type ExternalFile = { type: 'external_account' } & (
  | IdentityPoolClientOptions
  | AwsClientOptions
  | PluggableAuthClientOptions
);

/** As `gcloud` and the console write such files. Only these kinds are taken, so that a file of another can't lead weir elsewhere. */
type CredentialFile =
  | ({ type: 'service_account'; private_key_id?: string } & Account)
  | { type: 'authorized_user'; client_id: string; client_secret: string; refresh_token: string }
  | ExternalFile
  | {
      type: 'impersonated_service_account';
      service_account_impersonation_url: string;
      source_credentials: CredentialFile;
      delegates?: string[];
    };

/**
 * Who weir is to Google, for any of its clients.
 * @throws WeirError `invalid` where the file is none of credentials.
 */
export async function openGoogleAuth({ keyFile, projectId, scopes }: GoogleAuthOptions): Promise<GoogleAuth> {
  // It takes its time to load, and few processes ever ask.
  const google = await import('google-auth-library');
  const project = projectId === undefined ? {} : { projectId };
  if (keyFile === undefined) return new google.GoogleAuth({ scopes, ...project });
  const file = await readCredentials(keyFile);
  const auth = new google.GoogleAuth({ authClient: clientOf(file, scopes, keyFile, google), ...project });
  return file.type === 'service_account' ? withAccount(auth, file) : auth;
}

/** For an emulator of Cloud Storage: an account that nobody knows, with a key to sign with. */
export async function passingAuth(scopes: string[]): Promise<GoogleAuth> {
  const google = await import('google-auth-library');
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const account = { client_email: 'weir@emulator.invalid', private_key: privateKey };
  const client = new google.JWT({ email: account.client_email, key: privateKey, scopes });
  return withAccount(new google.GoogleAuth({ authClient: client }), account);
}

/** The library knows the account of a key only where it has read the file itself; Cloud Storage's client names it in signed URLs. */
function withAccount(auth: GoogleAuth, { client_email, private_key }: Account): GoogleAuth {
  // It is declared as taking a callback too, which none of Google's clients gives it.
  const getCredentials = () => Promise.resolve({ client_email, private_key });
  return Object.assign(auth, { getCredentials });
}

async function readCredentials(path: string): Promise<CredentialFile> {
  const text = await readFile(path, 'utf8');
  try {
    return JSON.parse(text) as CredentialFile;
  } catch (cause) {
    throw new WeirError('invalid', `${path} is no file of credentials: it is not JSON.`, { cause });
  }
}

function clientOf(file: CredentialFile, scopes: string[], keyFile: string, google: Library): AnyAuthClient {
  switch (file.type) {
    case 'service_account':
      return new google.JWT({
        email: file.client_email,
        key: file.private_key,
        ...(file.private_key_id === undefined ? {} : { keyId: file.private_key_id }),
        scopes,
      });
    case 'authorized_user':
      return new google.UserRefreshClient(file.client_id, file.client_secret, file.refresh_token);
    case 'impersonated_service_account':
      return new google.Impersonated({
        sourceClient: clientOf(file.source_credentials, scopes, keyFile, google),
        targetPrincipal: /([^/]+):generateAccessToken$/.exec(file.service_account_impersonation_url)?.[1] ?? '',
        delegates: file.delegates ?? [],
        targetScopes: scopes,
      });
    case 'external_account':
      return Object.assign(externalClientOf(file, google), { scopes });
    default:
      throw new WeirError(
        'invalid',
        `${keyFile} is no file of credentials that weir takes. Take a service account's key, or a configuration of impersonation or workload identity federation.`,
      );
  }
}

function externalClientOf(file: ExternalFile, google: Library): BaseExternalAccountClient {
  const source = file.credential_source ?? {};
  if ('environment_id' in source) return new google.AwsClient(file as AwsClientOptions);
  if ('executable' in source) return new google.PluggableAuthClient(file as PluggableAuthClientOptions);
  return new google.IdentityPoolClient(file as IdentityPoolClientOptions);
}
