import { createPublicKey, createSign, createVerify, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Json } from './messages.ts';
import { ApiError, unauthenticated } from './errors.ts';

export type ServiceAccount = {
  email: string;
  /** The key file, as `gcloud iam service-accounts keys create` writes it. */
  key: Json & { private_key: string; private_key_id: string };
};

export type Tokens = {
  account: (name: string) => ServiceAccount;
  hasAccount: (email: string) => boolean;
  /** An access token of this account, as the metadata server hands out to an instance. */
  issue: (email: string, seconds?: number) => { access_token: string; expires_in: number; token_type: 'Bearer' };
  /** Whose token it is. @throws ApiError 401. */
  principal: (headers: IncomingHttpHeaders) => string;
  /** Answers the OAuth and IAM calls that credentials make; undefined where the path is none of them. */
  answer: (path: string, body: string, headers: IncomingHttpHeaders) => Json | undefined;
  /** Makes every token worth nothing from now on. */
  expireAll: () => void;
};

const jwtGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** Service accounts with real keys, and the places where credentials become access tokens. */
export function createTokens(project: string, url: () => string, tokenSeconds: number): Tokens {
  const accounts = new Map<string, ServiceAccount>();
  const issued = new Map<string, { email: string; expiresMs: number }>();
  let notBeforeSeconds = 0;

  const account = (name: string): ServiceAccount => {
    const email = name.includes('@') ? name : `${name}@${project}.iam.gserviceaccount.com`;
    const known = accounts.get(email);
    if (known !== undefined) return known;
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const key = {
      type: 'service_account',
      project_id: project,
      private_key_id: randomBytes(20).toString('hex'),
      private_key: privateKey,
      client_email: email,
      client_id: String(100_000_000_000_000_000_000n + BigInt(accounts.size)),
      token_uri: `${url()}/token`,
      universe_domain: 'googleapis.com',
    };
    const made = { email, key };
    accounts.set(email, made);
    return made;
  };

  const issue: Tokens['issue'] = (email, seconds = tokenSeconds) => {
    const token = `ya29.${randomBytes(48).toString('base64url')}`;
    issued.set(token, { email, expiresMs: Date.now() + seconds * 1000 });
    return { access_token: token, expires_in: seconds, token_type: 'Bearer' };
  };

  /** A JWT that an account signed itself, either to buy a token with or to be used as one. */
  const signer = (jwt: string): string => {
    const [head = '', claims = '', signature = ''] = jwt.split('.');
    const { iss, exp, iat } = parsed(claims) as { iss?: string; exp?: number; iat?: number };
    const found = accounts.get(iss ?? '');
    if (found === undefined || exp === undefined || exp * 1000 < Date.now() || (iat ?? 0) < notBeforeSeconds)
      throw unauthenticated();
    const isGenuine = createVerify('RSA-SHA256')
      .update(`${head}.${claims}`)
      .verify(createPublicKey(found.key.private_key), signature, 'base64url');
    if (!isGenuine) throw unauthenticated();
    return found.email;
  };

  const principal = (headers: IncomingHttpHeaders): string => {
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    if (token === undefined) throw unauthenticated();
    if (token.split('.').length === 3) return signer(token);
    const found = issued.get(token);
    if (found === undefined || found.expiresMs < Date.now()) throw unauthenticated();
    return found.email;
  };

  const exchange = (body: string): Json => {
    const form = new URLSearchParams(body);
    const grant = form.get('grant_type');
    if (grant === jwtGrant) return issue(signer(form.get('assertion') ?? ''));
    if (grant !== exchangeGrant || (form.get('subject_token') ?? '') === '')
      throw new ApiError(400, 'invalid_grant', 'Invalid grant.');
    // Of a workload identity pool: good only for impersonating an account.
    return { ...issue('principal://workload'), issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' };
  };

  const impersonate = (email: string, verb: string, body: string, headers: IncomingHttpHeaders): Json => {
    principal(headers);
    const found = accounts.get(email);
    if (found === undefined) throw new ApiError(404, 'notFound', `Not found; Gaia id not found for email ${email}`);
    if (verb === 'generateAccessToken') {
      const { access_token: accessToken, expires_in: seconds } = issue(email);
      return { accessToken, expireTime: new Date(Date.now() + seconds * 1000).toISOString() };
    }
    const { payload = '' } = JSON.parse(body) as { payload?: string };
    const signedBlob = createSign('RSA-SHA256').update(payload, 'base64').sign(found.key.private_key, 'base64');
    return { keyId: found.key.private_key_id, signedBlob };
  };

  return {
    account,
    hasAccount: (email) => accounts.has(email),
    issue,
    principal,
    answer: (path, body, headers) => {
      if (path === '/token' || path === '/sts/v1/token') return exchange(body);
      const found = /^\/v1\/projects\/-\/serviceAccounts\/([^:]+):(generateAccessToken|signBlob)$/.exec(path);
      if (found === null) return undefined;
      return impersonate(decodeURIComponent(found[1] ?? ''), found[2] ?? '', body, headers);
    },
    expireAll: () => {
      issued.clear();
      notBeforeSeconds = Math.floor(Date.now() / 1000) + 1;
    },
  };
}

function parsed(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    throw unauthenticated();
  }
}
