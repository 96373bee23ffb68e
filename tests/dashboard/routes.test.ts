import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openApiOf } from '../../src/http/openapi.ts';
import { test } from '../support/app.ts';

const folder = join(import.meta.dirname, '../../src/dashboard');

test('the page needs no key, and lets nothing run or load that does not come from the service', async ({ api }) => {
  const { statusCode, headers, body } = await api.ask(undefined, 'GET /');
  expect(statusCode).toBe(200);
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  expect(headers['content-security-policy']).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  );
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect(body).toContain('Sign in');
  expect(body).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:/);
});

test('every file of the folder is served as what it is, with the same care as the page', async ({ api }) => {
  const types: Record<string, string> = {
    html: 'text/html',
    css: 'text/css',
    js: 'text/javascript',
    svg: 'image/svg+xml',
  };
  const page = await api.ask(undefined, 'GET /');
  for (const name of await readdir(folder)) {
    const { statusCode, headers } = await api.ask(undefined, `GET /dashboard/${name}`);
    expect([name, statusCode]).toEqual([name, 200]);
    expect(headers['content-type']).toContain(types[name.split('.').at(-1) ?? ''] ?? 'a known type');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['content-security-policy']).toBe(page.headers['content-security-policy']);
  }
});

test('a browser asks again each time, and gets what it has only once', async ({ api }) => {
  const first = await api.ask(undefined, 'GET /dashboard/dashboard.js');
  expect(first.headers['cache-control']).toBe('no-cache');
  const again = await api.ask(undefined, 'GET /dashboard/dashboard.js', undefined, {
    'if-none-match': String(first.headers.etag),
  });
  expect([again.statusCode, again.body]).toEqual([304, '']);
  const changed = await api.ask(undefined, 'GET /dashboard/dashboard.js', undefined, { 'if-none-match': '"older"' });
  expect(changed.statusCode).toBe(200);
});

test.for([
  '../config.ts',
  '%2e%2e/config.ts',
  '..%2fconfig.ts',
  '..%5cconfig.ts',
  '%252e%252e%252fconfig.ts',
  '/etc/passwd',
  '%2Fetc%2Fpasswd',
  './../../package.json',
  'dashboard.js%00.html',
  'constructor',
  '',
  '.',
])('no path leads out of the folder: %s', async (path, { api }) => {
  const { statusCode, body } = await api.ask(undefined, `GET /dashboard/${path}`);
  expect([400, 404]).toContain(statusCode);
  expect(JSON.parse(body)).toMatchObject({ status: statusCode });
});

test('the page is no part of the specification', async ({ api }) => {
  const { paths } = openApiOf(api.app) as { paths: object };
  expect(Object.keys(paths).filter((path) => path === '/' || path.includes('dashboard'))).toEqual([]);
});

test('what the service says enters the page as text, never as markup', async ({ api }) => {
  for (const name of (await readdir(folder)).filter((file) => file.endsWith('.js'))) {
    const { body } = await api.ask(undefined, `GET /dashboard/${name}`);
    expect([
      name,
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|localStorage/.exec(body)?.[0],
    ]).toEqual([name, undefined]);
  }
});
