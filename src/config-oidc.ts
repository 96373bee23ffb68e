import type { File } from './config-file.ts';

export type OidcConfig = {
  issuer: string;
  clientId: string;
  clientSecret: string | undefined;
  name: string;
  scopes: string[];
  rules: NonNullable<NonNullable<File['signIn']>['oidc']>['rules'];
};

/** Where people sign in besides with keys. */
export function oidcOf({ signIn }: File, secret: string | undefined): OidcConfig | undefined {
  const oidc = signIn?.oidc;
  if (oidc === undefined) return undefined;
  const { issuer, clientId, clientSecret = secret, name = new URL(issuer).host, rules } = oidc;
  return { issuer, clientId, clientSecret, name, scopes: oidc.scopes ?? ['email', 'profile'], rules };
}

/** What the schema can't say: whom a rule makes something of a tenant, it names the tenant of. */
export function oidcFaults({ signIn }: File): string[] {
  return (signIn?.oidc?.rules ?? []).flatMap(({ role, tenant }, at) =>
    role === 'operator' || tenant !== undefined
      ? []
      : [`signIn.oidc.rules.${at} gives the role ${role} and needs a tenant, such as tenant: vision`],
  );
}
