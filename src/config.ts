import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import { newToken } from './core/tokens.ts';

const closed = { additionalProperties: false } as const;
const Seconds = (value: number, description: string) => Type.Number({ exclusiveMinimum: 0, default: value, description });

const timingSchema = Type.Object(
  {
    sweepSeconds: Type.Optional(Seconds(2, 'How often each worker looks for what was missed.')),
    heartbeatSeconds: Type.Optional(Seconds(1, 'How often a runner reports.')),
    leaseSeconds: Type.Optional(Seconds(300, 'A runner unheard for so long counts as lost.')),
    bootSeconds: Type.Optional(Seconds(600, 'A machine that has not claimed after so long is given up.')),
    graceSeconds: Type.Optional(Seconds(10, 'Between SIGTERM and SIGKILL.')),
    stopSeconds: Type.Optional(Seconds(60, 'A runner told to stop has so long after its grace to deliver its last lines.')),
    quoteSeconds: Type.Optional(Seconds(3600, 'How long a quote is live.')),
    uploadSeconds: Type.Optional(Seconds(86_400, 'How long an upload URL is good, and an upload kept unused.')),
    downloadSeconds: Type.Optional(Seconds(900, 'How long a download URL is good.')),
    retryBackoffSeconds: Type.Optional(Seconds(2, 'Before the first retry; doubles with each.')),
  },
  closed,
);

/** The YAML file named by WEIR_CONFIG. Everything has a default. */
export const ConfigFile = Type.Object(
  {
    publicUrl: Type.Optional(Type.String({ pattern: '^https?://', description: 'Where runners and browsers reach the API.' })),
    providers: Type.Optional(
      Type.Object(
        {
          local: Type.Optional(
            Type.Object(
              {
                enabled: Type.Optional(Type.Boolean({ default: true })),
                cpus: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Cores given to jobs. Left out: all.' })),
                memoryGiB: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Left out: all but 1 GiB.' })),
                diskGiB: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Left out: what is free.' })),
                usdPerCpuHour: Type.Optional(Type.Number({ minimum: 0, default: 0.02, description: 'Power and depreciation of a core with its memory.' })),
                usdPerGpuHour: Type.Optional(Type.Number({ minimum: 0, default: 0.5 })),
                isolation: Type.Optional(Type.Union([Type.Literal('auto'), Type.Literal('bubblewrap'), Type.Literal('user'), Type.Literal('none')], { default: 'auto' })),
                workDir: Type.Optional(Type.String({ description: 'Where jobs work. Left out: under the data directory where jobs can enter it, else under /var/tmp.' })),
                passEnv: Type.Optional(Type.Array(Type.String(), { description: 'Names of the service’s own environment that jobs see, such as PIP_INDEX_URL.' })),
              },
              closed,
            ),
          ),
        },
        closed,
      ),
    ),
    bucket: Type.Optional(
      Type.Union([
        Type.Object({ kind: Type.Literal('filesystem') }, closed),
        Type.Object(
          {
            kind: Type.Literal('gcs'),
            name: Type.String({ minLength: 3 }),
            projectId: Type.Optional(Type.String()),
            apiEndpoint: Type.Optional(Type.String({ pattern: '^https?://', description: 'For an emulator.' })),
            keyFile: Type.Optional(Type.String()),
          },
          closed,
        ),
      ]),
    ),
    timing: Type.Optional(timingSchema),
  },
  closed,
);

type Timing = {
  sweepMs: number;
  heartbeatMs: number;
  leaseMs: number;
  bootMs: number;
  graceMs: number;
  stopMs: number;
  quoteMs: number;
  uploadMs: number;
  downloadMs: number;
  retryBackoffMs: number;
};

type File = Static<typeof ConfigFile>;

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
  local: NonNullable<NonNullable<File['providers']>['local']>;
  bucket: NonNullable<File['bucket']>;
  timing: Timing;
  /** The environment of the service, of which providers show jobs a little. */
  hostEnv: Record<string, string | undefined>;
};

/** What is wrong with the configuration: every fault, each with its key and an example. The process exits 78. */
export class ConfigError extends Error {
  constructor(faults: string[]) {
    super(`The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
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
    { name: 'DATABASE_URL', text: env['DATABASE_URL'], scheme: /^postgres(ql)?:/, example: 'postgresql://user:password@host:5432/weir' },
    faults,
  );
  const redisUrl = readUrl({ name: 'REDIS_URL', text: env['REDIS_URL'], scheme: /^rediss?:/, example: 'redis://127.0.0.1:6379' }, faults);
  const givenSecretKey = readSecretKey(env['WEIR_SECRET_KEY'], faults);
  const givenOperatorKey = readOperatorKey(env['WEIR_OPERATOR_KEY'], faults);
  const file = readFile(env['WEIR_CONFIG'], faults);
  if (faults.length > 0) throw new ConfigError(faults);

  const host = env['WEIR_HOST'] ?? '127.0.0.1';
  const dataDir = resolve(env['WEIR_DATA_DIR'] ?? '.weir');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  return {
    host,
    port,
    publicUrl: file.publicUrl ?? `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`,
    dataDir,
    databaseUrl,
    redisUrl,
    operatorKey: givenOperatorKey ?? keptIn(join(dataDir, 'operator.key'), () => `weir_${newToken()}`),
    secretKey: givenSecretKey ?? Buffer.from(keptIn(join(dataDir, 'secret.key'), () => randomBytes(32).toString('base64')), 'base64'),
    local: file.providers?.local ?? {},
    bucket: file.bucket ?? { kind: 'filesystem' },
    timing: inMilliseconds(file),
    hostEnv: env,
  };
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
    uploadMs: seconds.uploadSeconds * 1000,
    downloadMs: seconds.downloadSeconds * 1000,
    retryBackoffMs: seconds.retryBackoffSeconds * 1000,
  };
}

function readPort(text: string | undefined, faults: string[]): number {
  if (text === undefined || text === '') return 8080;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) faults.push(`WEIR_PORT is "${text}"; it must be a port, such as 8080.`);
  return port;
}

type UrlVariable = { name: string; text: string | undefined; scheme: RegExp; example: string };

function readUrl({ name, text, scheme, example }: UrlVariable, faults: string[]): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (!scheme.test(text) || !URL.canParse(text)) faults.push(`${name} is not such a URL; example: ${example}`);
  return text;
}

function readSecretKey(text: string | undefined, faults: string[]): Buffer | undefined {
  if (text === undefined || text === '') return undefined;
  const key = Buffer.from(text, 'base64');
  if (key.length !== 32) faults.push(`WEIR_SECRET_KEY has ${key.length} bytes; it must be 32 in base64, as \`openssl rand -base64 32\` prints them.`);
  return key;
}

function readOperatorKey(text: string | undefined, faults: string[]): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (text.length < 24) faults.push('WEIR_OPERATOR_KEY is shorter than 24 characters; example: the output of `openssl rand -hex 32`.');
  return text;
}

function readFile(path: string | undefined, faults: string[]): File {
  if (path === undefined || path === '') return {};
  const content = parseFile(path, faults) ?? {};
  for (const fault of Value.Errors(ConfigFile, content)) {
    faults.push(`${path} ${fault.instancePath === '' ? 'as a whole' : `at ${fault.instancePath.slice(1).replaceAll('/', '.')}`}: ${fault.message}; docs/configuration.md has an example.`);
  }
  return content as File;
}

function parseFile(path: string, faults: string[]): unknown {
  try {
    return parseYaml(readFileSync(path, 'utf8'));
  } catch (error) {
    faults.push(`WEIR_CONFIG names ${path}, which can't be read as YAML: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** The secret in a file of mode 600; made at the first time. */
function keptIn(path: string, make: () => string): string {
  if (!existsSync(path)) {
    try {
      writeFileSync(path, `${make()}\n`, { mode: 0o600, flag: 'wx' });
    } catch (error) {
      // Another process of this installation was first.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  return readFileSync(path, 'utf8').trim();
}
