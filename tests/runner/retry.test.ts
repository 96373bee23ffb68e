import { expect, test } from 'vitest';
import { backOff } from '../../src/runner/retry.ts';

test('a rest that is broken off says why, since a machine whose broker never answers shuts down by that', async () => {
  const leaving = new AbortController();
  const resting = backOff(10, leaving.signal);
  const reason = new Error('the broker did not answer');
  leaving.abort(reason);
  await expect(resting).rejects.toBe(reason);
});
