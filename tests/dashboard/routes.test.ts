import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { expect, onTestFinished } from 'vitest';
import { createGcsBucket } from '../../src/artifacts/gcs-bucket.ts';
import { openApiOf } from '../../src/http/openapi.ts';
import { pagePaths } from '../../src/http/routes/dashboard.ts';
import { readSource } from '../ratchets/sources.ts';
import { openApp, test } from '../support/app.ts';

/** As `npm ci` leaves it, or `npm run dashboard`. */
const built = join(import.meta.dirname, '../../src/dashboard/dist');
const files = (await readdir(built, { recursive: true })).filter((name) => /\.(html|js|css|svg)$/.test(name));

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

test('the page needs no key, and lets nothing run or load that does not come from the service', async ({ api }) => {
  for (const path of pagePaths) {
    const { statusCode, headers, body } = await api.ask(undefined, `GET ${path.replace('*', 'anything')}`);
    expect([path, statusCode]).toEqual([path, 200]);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toBe(policy);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(body).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:/);
  }
});

test('artifacts are shown from the bucket, wherever its URLs lead', async ({ db }) => {
  const bucket = await createGcsBucket({ name: 'weir-artifacts' });
  const api = await openApp(db, { bucket, filesystemBucket: undefined });
  onTestFinished(api.close);
  const { headers } = await api.ask(undefined, 'GET /');
  expect(headers['content-security-policy']).toBe(
    policy.replace("connect-src 'self'", "connect-src 'self' https://storage.googleapis.com"),
  );
});

test('the service answers at each address that the application has a page for', () => {
  const paths = [...readSource('src/dashboard/pages.ts').matchAll(/^ {4}path: '([^']+)'/gm)].map(([, path]) => path);
  expect(paths.length).toBeGreaterThan(0);
  expect(paths.map((path = '') => path.replace(/:\w+$/, '*')).toSorted()).toEqual([...pagePaths].toSorted());
});

test('every file that was built is served as what it is, with the same care as the page', async ({ api }) => {
  const types: Record<string, string> = {
    html: 'text/html',
    css: 'text/css',
    js: 'application/javascript',
    svg: 'image/svg+xml',
  };
  expect(files.length).toBeGreaterThan(3);
  for (const name of files) {
    const { statusCode, headers } = await api.ask(undefined, `GET /dashboard/${name}`);
    expect([name, statusCode]).toEqual([name, 200]);
    expect(headers['content-type']).toContain(types[name.split('.').at(-1) ?? '']);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['content-security-policy']).toBe(policy);
  }
});

test('what is named by its content is kept for ever, the page is asked for again each time', async ({ api }) => {
  const asset = files.find((name) => name.startsWith('assets/'));
  const kept = await api.ask(undefined, `GET /dashboard/${asset}`);
  expect(kept.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  const page = await api.ask(undefined, 'GET /');
  expect(page.headers['cache-control']).toBe('public, max-age=0');
  const again = await api.ask(undefined, 'GET /', undefined, { 'if-none-match': String(page.headers.etag) });
  expect([again.statusCode, again.body]).toEqual([304, '']);
});

test('files come compressed for who understands it', async ({ api }) => {
  const program = files.find((name) => /assets\/index.*js$/.test(name));
  const plain = await api.ask(undefined, `GET /dashboard/${program}`);
  const small = await api.ask(undefined, `GET /dashboard/${program}`, undefined, { 'accept-encoding': 'gzip, br' });
  expect(small.headers['content-encoding']).toBe('br');
  expect(small.headers.vary).toBe('accept-encoding');
  expect(brotliDecompressSync(small.rawPayload).equals(plain.rawPayload)).toBe(true);
});

test('the first page needs less than 250 KiB of compressed program', async ({ api }) => {
  const needed = new Set<string>();
  const need = async (name: string): Promise<void> => {
    if (needed.has(name)) return;
    needed.add(name);
    const program = await readFile(join(built, 'assets', name), 'utf8');
    // Imports that are not lazy, minified.
    for (const [, imported = ''] of program.matchAll(/(?:from|import)"\.\/([^"]+\.js)"/g)) await need(imported);
  };
  for (const file of files) {
    const [, first] = /^assets\/((?:index|overview)-.*\.js)$/.exec(file) ?? [];
    if (first !== undefined) await need(first);
  }
  let bytes = 0;
  for (const name of needed) {
    const path = `GET /dashboard/assets/${name}`;
    bytes += (await api.ask(undefined, path, undefined, { 'accept-encoding': 'gzip' })).rawPayload.length;
  }
  expect(needed.size).toBeGreaterThan(2);
  expect(bytes / 1024).toBeLessThan(250);
});

const astray = [
  '../config.ts',
  '%2e%2e/config.ts',
  '..%2fconfig.ts',
  '..%5cconfig.ts',
  '%252e%252e%252fconfig.ts',
  '/etc/passwd',
  '%2Fetc%2Fpasswd',
  './../../package.json',
  'index.html%00.js',
  'assets',
  'assets/../../vite.config.ts',
  'constructor',
];

test('no path leads out of the folder', async ({ api }) => {
  for (const path of astray) {
    const { statusCode, body } = await api.ask(undefined, `GET /dashboard/${path}`);
    expect([400, 403, 404], path).toContain(statusCode);
    expect(JSON.parse(body)).toMatchObject({ status: statusCode });
  }
});

test('the page is no part of the specification', async ({ api }) => {
  const { paths } = openApiOf(api.app) as { paths: object };
  expect(Object.keys(paths).filter((path) => path === '/' || path.includes('dashboard'))).toEqual([]);
});
