import { randomBytes, randomUUID } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import type { BucketRegions } from './artifacts/residence.ts';
import { parse as parseYaml } from 'yaml';
import { Value } from 'typebox/value';
import { BucketSettings, ConfigFile, timingSchema, type File } from './config-file.ts';
import { oidcFaults, oidcOf, type OidcConfig } from './config-oidc.ts';
import { reachable, readHost, readOperatorKey, readPort, readSecretKey, readUrl } from './config-variables.ts';
import { hourMs } from './core/time.ts';
import { newToken } from './core/tokens.ts';
import { Policy } from './protocol/tenant.ts';
import { gcpFaults, GcpSettings } from './providers/gcp/settings.ts';
import { policyFaults, residencyFaults } from './tenants/policy-faults.ts';

type Timing = {
  sweepMs: number;
  heartbeatMs: number;
  leaseMs: number;
  bootMs: number;
  graceMs: number;
  stopMs: number;
  quoteMs: number;
  pilotMs: number;
  uploadMs: number;
  downloadMs: number;
  retryBackoffMs: number;
};

export type Config = {
  host: string;
  port: number;
  publicUrl: string;
  dataDir: string;
  /** Undefined: embedded PostgreSQL under the data directory. */
  databaseUrl: string | undefined;
  /** Undefined: the queues live in PostgreSQL. */
  redisUrl: string | undefined;
  operatorKey: string;
  /** 32 bytes. */
  secretKey: Buffer;
  /** Which host this is, of those that weir runs on: it is kept in the data directory. */
  hostId: string;
  local: NonNullable<NonNullable<File['providers']>['local']>;
  /** Undefined: nothing is bought from Google Cloud. */
  gcp: GcpSettings | undefined;
  bucket: NonNullable<File['bucket']>;
  retention: NonNullable<File['retention']>;
  /** What the pool and each new tenant begin with. */
  policies: NonNullable<File['policies']>;
  webhooks: { allowedAddresses: string[] };
  /** How long somebody stays signed in at the dashboard. */
  sessionMs: number;
  /** Where people sign in besides with keys; undefined: nowhere. */
  oidc: OidcConfig | undefined;
  /** With what Google's prices are read; undefined: they are not. */
  googlePrices: NonNullable<File['prices']>['google'];
  timing: Timing;
  /** The environment of the service, of which providers show jobs a little. */
  hostEnv: Record<string, string | undefined>;
};

/** What is wrong with the configuration: every fault, each with its key and an example. The process exits 78. */
export class ConfigError extends Error {
  constructor(faults: string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    );
    this.name = 'ConfigError';
  }
}

/** EX_CONFIG of sysexits.h. */
export const configExitCode = 78;

/**
 * Reads environment and file once, makes the keys that are missing, and names all faults together.
 * @throws ConfigError
 */
export function loadConfig(env: Record<string, string | undefined>): Config {
  const faults: string[] = [];
  const port = readPort(env['WEIR_PORT'], faults);
  const databaseUrl = readUrl(
    {
      name: 'DATABASE_URL',
      text: env['DATABASE_URL'],
      scheme: /^postgres(ql)?:/,
      example: 'postgresql://user:password@host:5432/weir',
    },
    faults,
  );
  const redisUrl = readUrl(
    { name: 'REDIS_URL', text: env['REDIS_URL'], scheme: /^rediss?:/, example: 'redis://127.0.0.1:6379' },
    faults,
  );
  const givenSecretKey = readSecretKey(env['WEIR_SECRET_KEY'], faults);
  const givenOperatorKey = readOperatorKey(env['WEIR_OPERATOR_KEY'], faults);
  const file = readFile(env['WEIR_CONFIG'], faults);
  const host = readHost(env['WEIR_HOST'], faults);
  const publicUrl = file.publicUrl ?? `http://${reachable(host)}:${port}`;
  faults.push(...cloudFaults(file, publicUrl), ...bucketFaults(file), ...tenantPolicyFaults(file));
  const dataDir = resolve(env['WEIR_DATA_DIR'] || '.weir');
  makeDataDir(dataDir, faults);
  if (faults.length > 0) throw new ConfigError(faults);

  return {
    host,
    port,
    publicUrl,
    dataDir,
    databaseUrl,
    redisUrl,
    operatorKey: givenOperatorKey ?? keptIn(join(dataDir, 'operator.key'), () => `weir_${newToken()}`),
    secretKey:
      givenSecretKey ??
      Buffer.from(
        keptIn(join(dataDir, 'secret.key'), () => randomBytes(32).toString('base64')),
        'base64',
      ),
    hostId: keptIn(join(dataDir, 'host-id'), randomUUID),
    ...ofFile(file, env),
    hostEnv: env,
  };
}

/** What only the file says, with its defaults. */
function ofFile(file: File, env: Record<string, string | undefined>) {
  return {
    local: file.providers?.local ?? {},
    gcp: file.providers?.gcp,
    bucket: file.bucket ?? { kind: 'filesystem' },
    retention: file.retention ?? {},
    policies: file.policies ?? {},
    webhooks: { allowedAddresses: file.webhooks?.allowedAddresses ?? [] },
    sessionMs: (file.signIn?.sessionHours ?? defaultSessionHours) * hourMs,
    oidc: oidcOf(file, env['WEIR_OIDC_CLIENT_SECRET']),
    googlePrices: googlePricesOf(file, env['GOOGLE_APPLICATION_CREDENTIALS']),
    timing: inMilliseconds(file),
  } satisfies Partial<Config>;
}

/** A working day. */
const defaultSessionHours = 12;

/** Of settings that fit their schema; what does not even fit has been said, and can't be looked at further. */
function cloudFaults({ providers }: File, publicUrl: string): string[] {
  if (!Value.Check(GcpSettings, providers?.gcp)) return [];
  return gcpFaults(providers.gcp, publicUrl).map((fault) => `${fault}; docs/configuration.md has an example.`);
}

function bucketFaults({ bucket }: File): string[] {
  if (!Value.Check(BucketSettings, bucket) || bucket.kind !== 'gcs' || bucket.elsewhere === undefined) return [];
  const regions = [bucket.region, ...bucket.elsewhere.map(({ region }) => region)];
  return [
    ...(bucket.region === undefined
      ? ['bucket.elsewhere is given, and bucket.region is not: say where the first bucket is, such as us-central1.']
      : []),
    ...(new Set(regions).size < regions.length
      ? ['bucket.elsewhere names a region twice, or that of the first bucket: one bucket a region is enough.']
      : []),
  ];
}

/** What each new tenant would be refused. */
function tenantPolicyFaults({ policies, bucket }: File): string[] {
  const policy = policies?.tenant;
  if (!Value.Check(Policy, policy)) return [];
  const buckets = Value.Check(BucketSettings, bucket) ? bucketRegionsOf(bucket) : { home: null, elsewhere: [] };
  const faults = [
    ...policyFaults(policy, Object.keys(ConfigFile.properties.providers.properties)),
    ...residencyFaults(policy, buckets),
  ];
  return faults.map(({ pointer, detail }) => `policies.tenant${pointer.replaceAll('/', '.')}: ${detail}`);
}

/** Where the buckets are: their regions, as far as they are configured. */
export function bucketRegionsOf(bucket: Config['bucket']): BucketRegions {
  if (bucket.kind !== 'gcs') return { home: null, elsewhere: [] };
  return { home: bucket.region ?? null, elsewhere: (bucket.elsewhere ?? []).map(({ region }) => region) };
}

/** Who has Google's credentials at hand wants its prices. */
function googlePricesOf({ prices }: File, credentials: string | undefined): Config['googlePrices'] {
  return prices?.google ?? (credentials === undefined ? undefined : {});
}

function inMilliseconds(file: File): Timing {
  const seconds = Value.Default(timingSchema, { ...file.timing }) as Required<NonNullable<File['timing']>>;
  return {
    sweepMs: seconds.sweepSeconds * 1000,
    heartbeatMs: seconds.heartbeatSeconds * 1000,
    leaseMs: seconds.leaseSeconds * 1000,
    bootMs: seconds.bootSeconds * 1000,
    graceMs: seconds.graceSeconds * 1000,
    stopMs: seconds.stopSeconds * 1000,
    quoteMs: seconds.quoteSeconds * 1000,
    pilotMs: seconds.pilotSeconds * 1000,
    uploadMs: seconds.uploadSeconds * 1000,
    downloadMs: seconds.downloadSeconds * 1000,
    retryBackoffMs: seconds.retryBackoffSeconds * 1000,
  };
}

function readFile(path: string | undefined, faults: string[]): File {
  if (path === undefined || path === '') return {};
  const content = parseFile(path, faults) ?? {};
  const ownFaults = fileFaults(content);
  if (ownFaults.length === 0) ownFaults.push(...oidcFaults(content as File));
  faults.push(...ownFaults.map((fault) => `${path}: ${fault}; docs/configuration.md has an example.`));
  return content as File;
}

/** By Ajv, since TypeBox's own checker stops counting at eight. */
function fileFaults(content: unknown): string[] {
  const validate = new Ajv({ allErrors: true, verbose: true, strict: false }).compile(ConfigFile);
  if (validate(content)) return [];
  // Of a union, the faults of its branches say less than the union's own.
  const errors = validate.errors ?? [];
  const isOfBranch = ({ schemaPath }: ErrorObject) => /\/anyOf\/\d/.test(schemaPath);
  return [...new Set(errors.filter((error) => !isOfBranch(error)).map(describe))];
}

function describe({ keyword, instancePath, params, message, parentSchema, data }: ErrorObject): string {
  const key = instancePath.slice(1).replaceAll('/', '.');
  if (keyword === 'additionalProperties') {
    const known = Object.keys((parentSchema as { properties?: object }).properties ?? {});
    return `${key === '' ? '' : `${key}.`}${params['additionalProperty']} is no key; there are ${known.join(', ')}`;
  }
  if (keyword === 'enum')
    return `${key} is ${JSON.stringify(data)}; it may be ${(params['allowedValues'] as string[]).join(', ')}`;
  if (keyword === 'anyOf') {
    const values = ((parentSchema as { anyOf?: { const?: string }[] }).anyOf ?? []).flatMap(
      (branch) => branch.const ?? [],
    );
    return `${key} is ${JSON.stringify(data)}${values.length === 0 ? ', which fits no kind of it' : `; it may be ${values.join(', ')}`}`;
  }
  return `${key === '' ? 'the file' : key} ${message ?? 'is not valid'}, not ${JSON.stringify(data)}`;
}

function parseFile(path: string, faults: string[]): unknown {
  try {
    return parseYaml(readFileSync(path, 'utf8'));
  } catch (error) {
    faults.push(
      `WEIR_CONFIG names ${path}, which can't be read as YAML: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
}

function makeDataDir(path: string, faults: string[]): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.W_OK | constants.X_OK);
    if (!statSync(path).isDirectory()) throw new Error('it is a file');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    faults.push(`WEIR_DATA_DIR is ${path}, which can't be used (${why}); example: /var/lib/weir`);
  }
}

/** What is in a file of mode 600; made at the first time. */
function keptIn(path: string, make: () => string): string {
  if (!existsSync(path)) {
    // Linked when it is whole: another process that starts at this moment must not read half of it.
    const draft = `${path}.${randomUUID()}`;
    writeFileSync(draft, `${make()}\n`, { mode: 0o600 });
    try {
      linkSync(draft, path);
    } catch (error) {
      // Another process of this installation was first.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft);
    }
  }
  return readFileSync(path, 'utf8').trim();
}
