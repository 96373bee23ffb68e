import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Policy } from '../../src/protocol/tenant.ts';
import { bindingPolicy } from '../../src/tenants/lineage.ts';
import {
  findCycle,
  kinshipFaults,
  kinshipFaultsIn,
  kinshipOf,
  policyFaults,
  residencyFaults,
} from '../../src/tenants/policy-faults.ts';

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

const pointers = (faults: { pointer: string }[]) => faults.map(({ pointer }) => pointer);

test('a guarantee that its own caps do not allow is refused', () => {
  const policy = { guaranteed: { H100: 8 }, caps: { runningJobs: 0, accelerators: { H100: 4 } } };
  expect(pointers(policyFaults(policy, []))).toEqual(['/guaranteed/H100', '/caps/runningJobs']);
  expect(policyFaults({ guaranteed: { H100: 4 }, caps: { accelerators: { H100: 4 } } }, [])).toEqual([]);
});

test('the guarantees of teams do not exceed that of their organisation, whichever of them is set', () => {
  const others = new Map<string, Policy>([
    ['org', { guaranteed: { H100: 8 } }],
    ['a', { parent: 'org', guaranteed: { H100: 6 } }],
  ]);
  expect(kinshipFaults('b', { parent: 'org', guaranteed: { H100: 2 } }, others)).toEqual([]);
  const over = kinshipFaults('b', { parent: 'org', guaranteed: { H100: 3 } }, others);
  expect(pointers(over)).toEqual(['/guaranteed/H100']);
  expect(over[0]?.detail).toContain('9 H100 together, and its guaranteed is 8');
  expect(pointers(kinshipFaults('org', { guaranteed: { H100: 5 } }, others))).toEqual(['/guaranteed/H100']);
  expect(pointers(kinshipFaults('org', { caps: { accelerators: { H100: 5 } } }, others))).toEqual([
    '/caps/accelerators/H100',
  ]);
  expect(kinshipFaults('org', {}, others)).toEqual([]);
});

test('nor through a team in between that has no guarantee of the kind itself', () => {
  const others = new Map<string, Policy>([
    ['org', { guaranteed: { H100: 8 } }],
    ['department', { parent: 'org' }],
  ]);
  const policy = { parent: 'department', guaranteed: { H100: 16 } };
  expect(kinshipFaults('team', policy, others)).toMatchObject([
    { pointer: '/guaranteed/H100', detail: expect.stringContaining('under org are guaranteed 16 H100') },
  ]);
  const team = new Map(others).set('team', policy);
  expect(pointers(kinshipFaults('org', { guaranteed: { H100: 8 } }, team))).toEqual(['/guaranteed/H100']);
});

test('a team and its organisation have a place in common', () => {
  const others = new Map<string, Policy>([
    ['org', { regions: ['eu'] }],
    ['a', { parent: 'org', regions: ['eu', 'us'] }],
  ]);
  expect(pointers(kinshipFaults('b', { parent: 'org', regions: ['us'] }, others))).toEqual(['/regions']);
  expect(pointers(kinshipFaults('org', { regions: ['asia'] }, others))).toEqual(['/regions']);
  expect(kinshipFaults('org', { regions: ['us'] }, others)).toEqual([]);
});

test('who binds jobs to regions has its artifacts there', () => {
  const inEurope = { regions: ['eu'] };
  expect(pointers(residencyFaults(inEurope, { home: 'us', elsewhere: ['asia'] }))).toEqual(['/regions']);
  expect(residencyFaults(inEurope, { home: 'eu', elsewhere: [] })).toEqual([]);
  expect(residencyFaults(inEurope, { home: 'us', elsewhere: ['asia', 'eu'] })).toEqual([]);
  expect(residencyFaults(inEurope, { home: null, elsewhere: [] })).toEqual([]);
});

test('a team may run where all above it may, up to the lowest of their priorities', () => {
  const lineage = [
    { id: 'a', policy: { weight: 2, regions: ['eu', 'us'], priorityCeiling: 70 } },
    { id: 'org', policy: { regions: ['eu'], priorityCeiling: 60, providers: ['gcp'], caps: { runningJobs: 1 } } },
  ];
  expect(bindingPolicy(lineage)).toEqual({ weight: 2, regions: ['eu'], priorityCeiling: 60, providers: ['gcp'] });
});

test('the policies of a whole installation are checked in one pass, with the faults that each has by itself', () => {
  const all = new Map<string, Policy>([['lab', { guaranteed: { H100: 3000 } }]]);
  for (let team = 0; team < 4000; team += 1) all.set(`team${team}`, { parent: 'lab', guaranteed: { H100: 1 } });
  const kinship = kinshipOf(all);
  const faults = [...all].slice(0, 3).map(([id, policy]) => kinshipFaultsIn(kinship, id, policy));
  expect(faults).toEqual([...all].slice(0, 3).map(([id, policy]) => kinshipFaults(id, policy, all)));
  expect(pointers(faults.flat())).toEqual(['/guaranteed/H100', '/guaranteed/H100', '/guaranteed/H100']);
});
