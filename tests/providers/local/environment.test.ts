import { expect, test } from 'vitest';
import { jobEnvironment, runnerEnvironment } from '../../../src/providers/local/environment.ts';

const host = {
  PATH: '/opt/bin',
  HOME: '/root',
  LANG: 'de_DE.UTF-8',
  TZ: 'Europe/Berlin',
  SSL_CERT_FILE: '/etc/ssl/ca.pem',
  PIP_INDEX_URL: 'https://mirror.example/simple',
  PIP_EXTRA_INDEX_URL: 'https://user:password@mirror.example/simple',
  https_proxy: 'http://proxy.example:3128',
  HTTP_PROXY: 'http://user:password@proxy.example:3128',
  WEIR_OPERATOR_KEY: 'k',
  DATABASE_URL: 'postgresql://u:p@h/d',
  REDIS_URL: 'redis://h',
  GOOGLE_APPLICATION_CREDENTIALS: '/root/key.json',
  HF_HOME: '/data/hf',
  UNSET: undefined,
};

test('jobs see language, certificates, package index and proxy, and no address with a password in it', () => {
  expect(jobEnvironment(host, [])).toEqual({
    LANG: 'de_DE.UTF-8',
    TZ: 'Europe/Berlin',
    SSL_CERT_FILE: '/etc/ssl/ca.pem',
    PIP_INDEX_URL: 'https://mirror.example/simple',
    https_proxy: 'http://proxy.example:3128',
  });
});

test('what the operator names is passed too, but never the broker’s own', () => {
  const seen = jobEnvironment(host, [
    'HF_HOME',
    'PIP_EXTRA_INDEX_URL',
    'UNSET',
    'WEIR_OPERATOR_KEY',
    'DATABASE_URL',
    'REDIS_URL',
    'GOOGLE_APPLICATION_CREDENTIALS',
  ]);
  expect(Object.keys(seen).sort()).toEqual([
    'HF_HOME',
    'LANG',
    'PIP_EXTRA_INDEX_URL',
    'PIP_INDEX_URL',
    'SSL_CERT_FILE',
    'TZ',
    'https_proxy',
  ]);
});

test('the runner gets what its job may see, a PATH and its compile cache', () => {
  expect(runnerEnvironment(host, { LANG: 'C' }, '/data/cache')).toEqual({
    LANG: 'C',
    PATH: '/opt/bin',
    NODE_COMPILE_CACHE: '/data/cache',
  });
});
