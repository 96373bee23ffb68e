import { Type, type Static } from 'typebox';
import { closed, Id, Nullable, Time } from './common.ts';
import { RoleSchema } from './tenant.ts';

export const NewSession = Type.Object(
  { key: Type.String({ minLength: 1, maxLength: 512, description: 'A key of a tenant, or the operator’s.' }) },
  { ...closed, title: 'NewSession', examples: [{ key: 'weir_…' }] },
);

export const SignInMethods = Type.Object(
  {
    oidc: Nullable(
      Type.Object(
        { name: Type.String(), url: Type.String({ description: 'Where a browser goes to sign in there.' }) },
        { ...closed, description: 'The identity provider of the configuration.' },
      ),
    ),
  },
  { ...closed, title: 'SignInMethods' },
);

export const Me = Type.Object(
  {
    role: RoleSchema,
    tenant: Nullable(
      Type.Object({ id: Id('tenant'), name: Type.String() }, { ...closed, description: 'Null for an operator.' }),
    ),
    key: Nullable(
      Type.Object(
        {
          id: Type.String({ description: '“operator” for the key of the configuration.' }),
          label: Nullable(Type.String()),
        },
        { ...closed, description: 'Null where a person signed in at an identity provider.' },
      ),
    ),
    person: Nullable(Type.String({ description: 'The e-mail address or name that the identity provider gave.' })),
    session: Nullable(
      Type.Object({ id: Id('session'), expiresAt: Time() }, { ...closed, description: 'Null for a bearer key.' }),
    ),
  },
  { ...closed, title: 'Me' },
);
export type Me = Static<typeof Me>;
