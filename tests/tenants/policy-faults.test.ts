import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findCycle } from '../../src/tenants/policy-faults.ts';

test('a way up that comes back is a cycle, one that ends is none', () => {
  const parents = new Map([['b', 'a'], ['c', 'b']]); // prettier-ignore
  expect(findCycle('d', 'c', parents)).toBeUndefined();
  expect(findCycle('a', 'c', parents)).toBe('a');
  expect(findCycle('a', 'a', parents)).toBe('a');
});

test('whatever the parents, the search ends', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd');
  fc.assert(
    fc.property(
      id,
      id,
      fc.array(fc.tuple(id, id)),
      (tenant, parent, pairs) => void findCycle(tenant, parent, new Map(pairs)),
    ),
  );
});
