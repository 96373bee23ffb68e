import type { Role } from '../protocol/tenant.ts';

/** Who is what: the first rule whose claim has the value gives the role. */
export type SignInRule = { claim: string; value: string; role: Role; tenant?: string | undefined };

export type Grant = { role: Role; tenant: string | undefined };

/** What the issuer's claims give somebody; undefined where no rule fits. A claim that is a list has each of its members. */
export function grantOf(claims: Record<string, unknown>, rules: readonly SignInRule[]): Grant | undefined {
  const rule = rules.find(({ claim, value }) => [claims[claim]].flat().some((held) => String(held) === value));
  return rule && { role: rule.role, tenant: rule.tenant };
}

/** How somebody is named in the audit: by an address that the issuer has seen to, else by the subject. */
export function personOf({ sub, email, email_verified: isVerified }: Record<string, unknown>): string {
  return typeof email === 'string' && isVerified !== false ? email : String(sub);
}
