import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DCLinter } from 'dclint';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { Value } from 'typebox/value';
import { ConfigFile } from '../../src/config-file.ts';

type Service = {
  image: string;
  user?: string;
  read_only?: boolean;
  restart?: string;
  cap_drop?: string[];
  security_opt?: string[];
  ports?: string[];
  volumes?: string[];
  command?: string[];
  environment?: Record<string, string>;
  configs?: { source: string; target: string }[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
};
type Compose = {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  configs: Record<string, { file: string }>;
};

const repository = join(import.meta.dirname, '../..');
const composePath = join(repository, 'docker-compose.yml');
const text = readFileSync(composePath, 'utf8');
const { services, volumes, configs } = parse(text, { merge: true }) as Compose;
const each = Object.entries(services);

/** Services for which `isRight` does not hold. */
const except = (isRight: (service: Service) => boolean) =>
  each.filter(([, service]) => !isRight(service)).map(([name]) => name);

/** How a file is laid out is the formatter's business, and these rules of dclint would quarrel with it. */
const orderRules = [
  'service-keys-order',
  'services-alphabetical-order',
  'service-dependencies-alphabetical-order',
  'top-level-properties-order',
];

test('it follows the official schema of Compose, and the linter has no complaint', () => {
  const linter = new DCLinter({
    rules: Object.fromEntries(orderRules.map((name) => [name, 0])),
    quiet: false,
    debug: false,
    exclude: [],
  });
  const [result] = linter.lintFiles([composePath], false);
  const messages: { line: number; rule: string; message: string }[] = result?.messages ?? [];
  expect(messages.map(({ line, rule, message }) => `${line} ${rule}: ${message}`)).toEqual([]);
});

test('it runs API, worker, PostgreSQL, Redis and a bucket', () => {
  expect(Object.keys(services)).toEqual(['api', 'worker', 'postgres', 'redis', 'bucket']);
});

test('each service has a health check and is restarted', () => {
  expect(
    except(({ healthcheck, restart }) => (healthcheck?.test.length ?? 0) > 1 && restart === 'unless-stopped'),
  ).toEqual([]);
});

test('each service runs without root, without capabilities and on a read-only file system', () => {
  expect(except(({ user }) => user !== undefined && !/^(root|0)(:|$)/.test(user))).toEqual([]);
  expect(except(({ cap_drop: dropped }) => dropped?.join() === 'ALL')).toEqual([]);
  expect(except(({ security_opt: options }) => options?.includes('no-new-privileges:true') === true)).toEqual([]);
  expect(except(({ read_only: isReadOnly }) => isReadOnly === true)).toEqual([]);
});

test('only the worker, whose bubblewrap needs it, runs outside Docker’s default profiles', () => {
  expect(
    except(({ security_opt: options }) => options?.some((option) => option.includes('unconfined')) !== true),
  ).toEqual(['worker']);
});

test('images from elsewhere have a whole version', () => {
  expect(except(({ image }) => image === 'weir:local' || /:\d+\.\d+(\.\d+)?(-\w+)?$/.test(image))).toEqual([]);
});

test('only the API is reachable from outside, and that from this machine only', () => {
  expect(each.flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`))).toEqual([
    'api 127.0.0.1:8080:8080',
  ]);
});

test('a service starts when those that it stands on are healthy', () => {
  const waits = each.flatMap(([name, { depends_on: needed = {} }]) =>
    Object.entries(needed).map(([other, { condition }]) => `${name} ${other} ${condition}`),
  );
  expect(waits.sort()).toEqual([
    'api bucket service_healthy',
    'api postgres service_healthy',
    'api redis service_healthy',
    'worker api service_healthy',
    'worker bucket service_healthy',
    'worker postgres service_healthy',
    'worker redis service_healthy',
  ]);
});

test('each secret must be given: none has a default, and none stands in the file', () => {
  const used = [...text.matchAll(/\$\{(\w+)([^}]*)\}/g)];
  expect(new Set(used.map(([, name]) => name))).toEqual(
    new Set(['POSTGRES_PASSWORD', 'REDIS_PASSWORD', 'WEIR_OPERATOR_KEY', 'WEIR_SECRET_KEY']),
  );
  expect(used.filter(([, , rest]) => !rest?.startsWith(':?')).map(([whole]) => whole)).toEqual([]);

  const settings = each.flatMap(([, { environment = {} }]) => Object.entries(environment));
  const secret = settings.filter(([name]) => /PASSWORD|KEY|AUTH|_URL$/.test(name));
  expect(secret.filter(([, value]) => !value.includes('${')).map(([name]) => name)).toEqual([]);
});

test('each volume and each configuration is declared, and the files are there', () => {
  const mounted = each.flatMap(([, service]) => (service.volumes ?? []).map((volume) => volume.split(':')[0]));
  expect(new Set(mounted)).toEqual(new Set(Object.keys(volumes)));
  const configured = each.flatMap(([, service]) => (service.configs ?? []).map(({ source }) => source));
  expect(new Set(configured)).toEqual(new Set(Object.keys(configs)));
  expect(Object.values(configs).filter(({ file }) => !existsSync(join(repository, file)))).toEqual([]);
});

test('weir accepts its configuration, which names the bucket that the emulator makes', () => {
  const config: unknown = parse(readFileSync(join(repository, configs['weir']?.file ?? ''), 'utf8'));
  expect([...Value.Errors(ConfigFile, config)]).toEqual([]);
  const seeded = services['bucket']?.configs?.map(({ target }) => target.split('/')[2]);
  expect(config).toMatchObject({ bucket: { kind: 'gcs', name: seeded?.[0] } });
});
