import { expect, test } from 'vitest';
import { measureTransfer } from './transfer.ts';

const MiB = 1024 * 1024;

// tests/bench/artifact-transfer.ts moves 2 GiB; memory does not follow the size, so less shows it as well.
test('a large object streams through the server in both directions', async () => {
  const { isIntact, peakRssBytes } = await measureTransfer(512 * MiB);
  expect(isIntact).toBe(true);
  expect(peakRssBytes).toBeLessThan(200 * MiB);
});
