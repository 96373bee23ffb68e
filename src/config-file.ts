import { Type, type Static } from 'typebox';
import { Policy, PoolPolicy } from './protocol/tenant.ts';
import { GcpSettings } from './providers/gcp/settings.ts';

const closed = { additionalProperties: false } as const;
const Seconds = (value: number, description: string) =>
  Type.Number({ exclusiveMinimum: 0, default: value, description });

export const timingSchema = Type.Object(
  {
    sweepSeconds: Type.Optional(Seconds(2, 'How often each worker looks for what was missed.')),
    heartbeatSeconds: Type.Optional(Seconds(1, 'How often a runner reports.')),
    leaseSeconds: Type.Optional(Seconds(300, 'A runner unheard for so long counts as lost.')),
    bootSeconds: Type.Optional(Seconds(600, 'A machine that has not claimed after so long is given up.')),
    graceSeconds: Type.Optional(Seconds(10, 'Between SIGTERM and SIGKILL.')),
    stopSeconds: Type.Optional(
      Seconds(60, 'A runner told to stop has so long after its grace to deliver its last lines.'),
    ),
    quoteSeconds: Type.Optional(Seconds(3600, 'How long a quote is live.')),
    pilotSeconds: Type.Optional(Seconds(120, 'How long a pilot may run.')),
    uploadSeconds: Type.Optional(Seconds(86_400, 'How long an upload URL is good, and an upload kept unused.')),
    downloadSeconds: Type.Optional(Seconds(900, 'How long a download URL is good.')),
    retryBackoffSeconds: Type.Optional(Seconds(2, 'Before the first retry; doubles with each.')),
  },
  closed,
);

const BucketName = Type.String({ minLength: 3 });
const KmsKey = Type.String({
  pattern: '^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$',
  description: 'The Cloud KMS key that new objects are encrypted with. Left out: the bucket’s own.',
});

const Days = (what: string) =>
  Type.Integer({ minimum: 1, description: `${what} are removed so long after their job ended. Left out: never.` });

const oidcSchema = Type.Object(
  {
    issuer: Type.String({
      pattern: '^https?://[^/]',
      description: 'Of the identity provider, such as https://accounts.google.com.',
    }),
    clientId: Type.String({ minLength: 1 }),
    clientSecret: Type.Optional(
      Type.String({ minLength: 1, description: 'Left out: WEIR_OIDC_CLIENT_SECRET of the environment, or none.' }),
    ),
    name: Type.Optional(Type.String({ minLength: 1, description: 'On the button. Left out: the issuer’s host.' })),
    scopes: Type.Optional(
      Type.Array(Type.String(), { description: 'Asked for beside openid. Left out: email and profile.' }),
    ),
    rules: Type.Array(
      Type.Object(
        {
          claim: Type.String({
            minLength: 1,
            description: 'Of the identity provider, such as groups; email only where it says that it has verified it.',
          }),
          value: Type.String({ description: 'That it has, or holds where it is a list.' }),
          role: Type.Enum(['viewer', 'member', 'admin', 'operator']),
          tenant: Type.Optional(Type.String({ description: 'Name or id. Needed but for operators.' })),
        },
        closed,
      ),
      { minItems: 1, description: 'Who is what: the first that fits.' },
    ),
  },
  closed,
);

export const BucketSettings = Type.Union([
  Type.Object({ kind: Type.Literal('filesystem') }, closed),
  Type.Object(
    {
      kind: Type.Literal('gcs'),
      name: BucketName,
      region: Type.Optional(
        Type.String({
          minLength: 1,
          description: 'Where it is: quotes then count what goes to machines elsewhere.',
        }),
      ),
      projectId: Type.Optional(Type.String()),
      apiEndpoint: Type.Optional(Type.String({ pattern: '^https?://[^/]', description: 'For an emulator.' })),
      keyFile: Type.Optional(Type.String()),
      kmsKey: Type.Optional(KmsKey),
      elsewhere: Type.Optional(
        Type.Array(
          Type.Object(
            { name: BucketName, region: Type.String({ minLength: 1 }), kmsKey: Type.Optional(KmsKey) },
            closed,
          ),
          {
            description:
              'Buckets in other regions: they keep what belongs to tenants whose policy does not allow `region`.',
          },
        ),
      ),
    },
    closed,
  ),
]);

export const PolicySettings = Type.Object(
  {
    pool: Type.Optional(PoolPolicy),
    tenant: Type.Optional(Type.Omit(Policy, ['parent'])),
  },
  { ...closed, description: 'The pool’s policy and that of each new tenant, until an operator sets another.' },
);

/** The YAML file named by WEIR_CONFIG. Everything has a default. */
export const ConfigFile = Type.Object(
  {
    publicUrl: Type.Optional(
      Type.String({ pattern: '^https?://[^/]', description: 'Where runners and browsers reach the API.' }),
    ),
    providers: Type.Optional(
      Type.Object(
        {
          local: Type.Optional(
            Type.Object(
              {
                enabled: Type.Optional(Type.Boolean({ default: true })),
                cpus: Type.Optional(
                  Type.Number({ exclusiveMinimum: 0, description: 'Cores given to jobs. Left out: all.' }),
                ),
                memoryGiB: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Left out: all but 1 GiB.' })),
                diskGiB: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Left out: what is free.' })),
                usdPerCpuHour: Type.Optional(
                  Type.Number({
                    minimum: 0,
                    default: 0.02,
                    description: 'Power and depreciation of a core with its memory.',
                  }),
                ),
                usdPerGpuHour: Type.Optional(
                  Type.Number({
                    minimum: 0,
                    description: 'Left out: power and depreciation of its kind, such as 0.92 for an H100.',
                  }),
                ),
                isolation: Type.Optional(
                  Type.Union(
                    [Type.Literal('auto'), Type.Literal('bubblewrap'), Type.Literal('user'), Type.Literal('none')],
                    { default: 'auto' },
                  ),
                ),
                workDir: Type.Optional(
                  Type.String({
                    description:
                      'Where jobs work. Left out: under the data directory where jobs can enter it, else under /var/tmp.',
                  }),
                ),
                passEnv: Type.Optional(
                  Type.Array(Type.String(), {
                    description: 'Names of the service’s own environment that jobs see, such as PIP_INDEX_URL.',
                  }),
                ),
              },
              closed,
            ),
          ),
          gcp: Type.Optional(GcpSettings),
        },
        closed,
      ),
    ),
    policies: Type.Optional(PolicySettings),
    bucket: Type.Optional(BucketSettings),
    retention: Type.Optional(
      Type.Object(
        {
          artifactsDays: Type.Optional(Days('Outputs')),
          checkpointsDays: Type.Optional(Days('Checkpoints')),
          logsDays: Type.Optional(Days('Log lines')),
        },
        closed,
      ),
    ),
    webhooks: Type.Optional(
      Type.Object(
        {
          allowedAddresses: Type.Optional(
            Type.Array(Type.String(), {
              description:
                'Addresses and networks that webhooks may reach although they are not public, such as 10.1.0.0/16.',
            }),
          ),
        },
        closed,
      ),
    ),
    prices: Type.Optional(
      Type.Object(
        {
          google: Type.Optional(
            Type.Object(
              {
                keyFile: Type.Optional(
                  Type.String({ description: 'Of a service account. Left out: the application default credentials.' }),
                ),
                apiEndpoint: Type.Optional(Type.String({ pattern: '^https?://[^/]', description: 'For an emulator.' })),
              },
              {
                ...closed,
                description:
                  'Prices are read from the Cloud Billing API each day. Left out: only where GOOGLE_APPLICATION_CREDENTIALS is set.',
              },
            ),
          ),
        },
        closed,
      ),
    ),
    signIn: Type.Optional(
      Type.Object(
        {
          sessionHours: Type.Optional(
            Type.Number({
              exclusiveMinimum: 0,
              maximum: 24 * 30,
              default: 12,
              description: 'How long somebody stays signed in at the dashboard.',
            }),
          ),
          oidc: Type.Optional(oidcSchema),
        },
        closed,
      ),
    ),
    timing: Type.Optional(timingSchema),
  },
  closed,
);

export type File = Static<typeof ConfigFile>;
