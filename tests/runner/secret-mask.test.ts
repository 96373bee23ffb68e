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
  expect(maskedTexts({ KEY: 'BEGIN PRIVATE KEY\nabcdefgh\nx\n', EMPTY: '' })).toEqual([
    'BEGIN PRIVATE KEY\nabcdefgh\nx\n',
    'BEGIN PRIVATE KEY',
    'abcdefgh',
    '',
  ]);
});
