import type { Config } from '../config.ts';
import { WeirError } from '../core/errors.ts';

/** What has to come back unchanged: kept in the browser, sealed, until it does. */
export type Pending = { state: string; nonce: string; verifier: string };

export type Oidc = {
  begin: () => Promise<{ url: string; pending: Pending }>;
  /** The claims of who came back. */
  finish: (query: string, pending: Pending) => Promise<Record<string, unknown>>;
};

export const callbackPath = '/v1/sign-in/oidc/callback';

/** The authorization code flow with PKCE against one issuer, which is asked for its addresses at the first sign-in. */
export function createOidc(config: NonNullable<Config['oidc']>, publicUrl: string): Oidc {
  const redirectUri = publicUrl + callbackPath;
  const ready = createDiscovery(config);

  return {
    begin: async () => {
      const { client, configuration } = await ready();
      const verifier = client.randomPKCECodeVerifier();
      const [state, nonce] = [client.randomState(), client.randomNonce()];
      const url = client.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: ['openid', ...config.scopes].join(' '),
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
      });
      return { url: url.href, pending: { state, nonce, verifier } };
    },
    finish: async (query, { state, nonce, verifier }) => {
      const { client, configuration } = await ready();
      const tokens = await client.authorizationCodeGrant(configuration, new URL(`${redirectUri}${query}`), {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims() ?? {};
      // Providers may keep groups out of the token and tell them only when asked.
      const subject = String((claims as { sub?: string }).sub);
      const more =
        configuration.serverMetadata().userinfo_endpoint === undefined
          ? {}
          : await client.fetchUserInfo(configuration, tokens.access_token, subject);
      return { ...claims, ...more };
    },
  };
}

/** The library and what the issuer says of itself, once it has answered. */
function createDiscovery({ issuer, clientId, clientSecret }: NonNullable<Config['oidc']>) {
  const discover = async () => {
    const client = await import('openid-client');
    const authentication = clientSecret === undefined ? client.None() : undefined;
    const options = issuer.startsWith('http:') ? { execute: [client.allowInsecureRequests] } : {};
    const configuration = await client
      .discovery(new URL(issuer), clientId, clientSecret, authentication, options)
      .catch((cause: unknown) => {
        throw new WeirError('unavailable', `The identity provider ${issuer} does not answer.`, { cause });
      });
    return { client, configuration };
  };
  let discovered: ReturnType<typeof discover> | undefined;
  return () => {
    discovered ??= discover();
    discovered.catch(() => (discovered = undefined));
    return discovered;
  };
}
