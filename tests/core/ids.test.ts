import { expect, test } from 'vitest';
import { isId, newId, partId } from '../../src/core/ids.ts';

test('the parts of a thing have ids of their own, which are well-formed', () => {
  const whole = newId('quote');
  const parts = Array.from({ length: 2000 }, (_, index) => partId('option', whole, index));
  expect(new Set(parts).size).toBe(2000);
  expect(parts.every((id) => isId('option', id))).toBe(true);
});
