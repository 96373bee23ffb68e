import type { Role } from '../protocol/tenant.ts';

/** Who is what: the first rule whose claim has the value gives the role. */
export type SignInRule = { claim: string; value: string; role: Role; tenant?: string | undefined };

export type Grant = { role: Role; tenant: string | undefined };

type Claims = Record<string, unknown>;

/**
 * What the issuer's claims give somebody; undefined where no rule fits. A claim that is a list has each of its members; an e-mail
 * address that nobody has verified may be anybody's, and has no value.
 */
export function grantOf(claims: Claims, rules: readonly SignInRule[]): Grant | undefined {
  const held = { ...claims, email: verifiedEmail(claims) };
  const rule = rules.find(({ claim, value }) =>
    [(held as Claims)[claim]].flat().some((each) => String(each) === value),
  );
  return rule && { role: rule.role, tenant: rule.tenant };
}

/** How somebody is named in the audit: by an address that the issuer has verified, else by the subject. */
export function personOf(claims: Claims): string {
  return verifiedEmail(claims) ?? String(claims['sub']);
}

/** Issuers that send the flag as a text mean the same. */
function verifiedEmail({ email, email_verified: isVerified }: Claims): string | undefined {
  return typeof email === 'string' && (isVerified === true || isVerified === 'true') ? email : undefined;
}
