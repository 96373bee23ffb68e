import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

export type Claims = Record<string, unknown>;

export type IdentityProvider = {
  /** weir's configuration of it, but for the rules. */
  oidc: { issuer: string; clientId: string; clientSecret: string; name: string; scopes: string[] };
  /** Begins to answer, for the weir at this address. */
  serve: (weirUrl: string) => void;
  /** Whom its sign-in page lets in from now on, without asking. */
  letIn: (account: string) => void;
  close: () => void;
};

/** A certified provider of OpenID Connect with these accounts and their claims. */
export async function openIdentityProvider(accounts: Record<string, Claims>): Promise<IdentityProvider> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = { client_id: 'weir', client_secret: 'the-secret-of-weir-at-the-provider' };
  let accountId = '';
  return {
    oidc: {
      issuer,
      clientId: client.client_id,
      clientSecret: client.client_secret,
      name: 'Example',
      scopes: ['email', 'profile'],
    },
    serve: (weirUrl) => {
      const provider = new Provider(issuer, {
        clients: [{ ...client, redirect_uris: [`${weirUrl}/v1/sign-in/oidc/callback`] }],
        cookies: { keys: ['a key of the tests'] },
        pkce: { required: () => true },
        claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['groups'] },
        features: { devInteractions: { enabled: false } },
        interactions: { url: () => '/interaction' },
        findAccount: (_context, id) => ({ accountId: id, claims: async () => ({ sub: id, ...accounts[id] }) }),
        loadExistingGrant: async (context) => {
          const grant = new context.oidc.provider.Grant({
            clientId: client.client_id,
            accountId: context.oidc.session?.accountId,
          });
          grant.addOIDCScope('openid email profile');
          await grant.save();
          return grant;
        },
      });
      const answer = provider.callback();
      server.on('request', (request, response) => {
        if (request.url?.startsWith('/interaction') === true)
          void provider.interactionFinished(request, response, { login: { accountId } });
        else void answer(request, response);
      });
    },
    letIn: (account) => (accountId = account),
    close: () => server.close(),
  };
}
