import { inspect } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSecretMask, maskedTexts } from '../../src/runner/secret-mask.ts';

function masked(chunks: string[], secrets: string[]): string {
  const mask = createSecretMask(secrets);
  return Buffer.concat([...chunks.map((chunk) => mask.feed(Buffer.from(chunk))), mask.end()]).toString();
}

test('the longest of the secrets that start together is masked whole', () => {
  expect(masked(['token=abcdef abc abd'], ['abc', 'abcdef'])).toBe('token=*** *** abd');
});

test('a secret is masked wherever its bytes are cut', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(
      fc.array(letters, { minLength: 1, maxLength: 3 }),
      fc.array(letters, { maxLength: 20 }),
      (secrets, chunks) => {
        expect(masked(chunks, secrets)).toBe(masked([chunks.join('')], secrets));
      },
    ),
    { numRuns: 2000 },
  );
});

test('what is no secret passes unchanged and at once', () => {
  const mask = createSecretMask(['hunter2']);
  expect(mask.feed(Buffer.from('hello hunt')).toString()).toBe('hello ');
  expect(mask.feed(Buffer.from('ing\n')).toString()).toBe('hunting\n');
});

test('of a key in many lines each longer line is masked too', () => {
  const texts = maskedTexts({ KEY: 'BEGIN PRIVATE KEY\n  abcdefgh\nx\n', EMPTY: '' });
  expect(texts).toEqual(
    expect.arrayContaining(['BEGIN PRIVATE KEY\n  abcdefgh\nx\n', 'BEGIN PRIVATE KEY', 'abcdefgh']),
  );
  expect(texts).not.toContain('x');
});
const privateKey = `-----BEGIN PRIVATE KEY-----\n${'aB3/'.repeat(16)}\n${'cD4+'.repeat(16)}\n-----END PRIVATE KEY-----\n`;
const googleKey = JSON.stringify(
  { type: 'service_account', private_key_id: 'f'.repeat(40), private_key: privateKey },
  null,
  2,
);

test.each([
  ['as JSON', JSON.stringify({ KEY: googleKey })],
  ['as Node.js shows objects', inspect({ KEY: googleKey }, { breakLength: 80 })],
  ['as Python shows strings', `{'KEY': '${googleKey.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}'}`],
  ['parsed', privateKey],
  ['value by value', `${'f'.repeat(40)} ${JSON.stringify(privateKey)}`],
  ['in base64, after something else', Buffer.from(`user:${googleKey}`).toString('base64')],
])('a key file that is printed %s shows nothing of its key', (_how, printed) => {
  const shown = masked([printed], maskedTexts({ KEY: googleKey }));
  expect(shown).toContain('***');
  expect(shown).not.toMatch(/aB3|cD4|ffff/);
  expect(shown).not.toContain(Buffer.from('aB3/'.repeat(4)).toString('base64'));
});

test('a password is masked in a URL too, and in each place that base64 may have it', () => {
  const secret = 'p@ss/w+rd';
  for (const printed of [
    `https://user:${encodeURIComponent(secret)}@host/`,
    ...['', 'u', 'us', 'use'].map((before) => Buffer.from(`${before}${secret}`).toString('base64')),
  ])
    expect(masked([printed], maskedTexts({ PASSWORD: secret }))).toContain('***');
});

test('many matches of a short secret cost no more for each other secret', () => {
  const chunk = Buffer.from('1'.repeat(65_536));
  const mask = createSecretMask(['1', ...Array.from({ length: 50 }, (_, index) => `absent secret ${index}`)]);
  const startMs = performance.now();
  expect(mask.feed(chunk).length).toBe(3 * chunk.length);
  expect(performance.now() - startMs).toBeLessThan(2_000);
});
