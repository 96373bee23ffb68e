import { expect, test } from 'vitest';
import type { SimulationOutcome } from '../../infra/cli/generated/api.ts';
import { concernedBy } from '../../src/dashboard/pages/tenant/concerned-by.ts';
import { draftOf, policyOf } from '../../src/dashboard/pages/tenant/policy-draft.ts';

test('a policy has one text, in whatever order its kinds were typed or are stored', () => {
  const textOf = (policy: Parameters<typeof draftOf>[0]) => JSON.stringify(policyOf(draftOf(policy)));
  expect(textOf({ guaranteed: { cpu: 1, L4: 2 }, caps: { accelerators: { cpu: 4, H100: 8, B200: 8 } } })).toBe(
    textOf({ guaranteed: { L4: 2, cpu: 1 }, caps: { accelerators: { B200: 8, cpu: 4, H100: 8 } } }),
  );
  expect(textOf({ guaranteed: { L4: 2 } })).not.toBe(textOf({ guaranteed: { L4: 3 } }));
});

test('a preview concerns the tenant itself, then those for whom something would be otherwise', () => {
  const outcome = (shares: Record<string, number>) =>
    ({ tenants: Object.entries(shares).map(([tenant, share]) => ({ tenant, share })) }) as SimulationOutcome;
  const simulated = outcome({ same: 0.2, more: 0.5, itself: 0.3 });
  expect(concernedBy({ baseline: outcome({ same: 0.2, more: 0.4, itself: 0.3 }), simulated }, 'itself')).toEqual([
    'itself',
    'more',
  ]);
});
