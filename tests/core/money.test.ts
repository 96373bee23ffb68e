import { expect, test } from 'vitest';
import { formatUsd } from '../../src/core/money.ts';

test('dollars are shown with their cents, and what is less with as many decimals as it has', () => {
  const shown = [0, 0.2, 0.02, 0.125, 0.000031, -0.5, 1, 12.4, 1234.567].map(formatUsd);
  expect(shown).toEqual(['$0.00', '$0.20', '$0.02', '$0.125', '$0.000031', '-$0.50', '$1.00', '$12.40', '$1234.57']);
});
