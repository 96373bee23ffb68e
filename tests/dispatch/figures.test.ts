import { expect, test } from 'vitest';
import { figuresOf } from '../../src/dispatch/figures.ts';
import { openState } from '../../src/dispatch/state.ts';
import { job, snapshot, tenant } from './snapshots.ts';

test('how far from fair each tenant is, is measured level by level: organisations by weight, and teams inside them', () => {
  const team = (id: string, parent: string, ownDecayedUse: number) =>
    tenant(id, { parent, decayedUse: ownDecayedUse, ownDecayedUse });
  const queued = ['x1', 'y1', 'y2', 'y'].map((id) => job(`job-${id}`, id));
  const tenants = [
    tenant('x', { decayedUse: 6 }),
    team('x1', 'x', 6),
    team('x2', 'x', 0),
    tenant('y', { decayedUse: 6, ownDecayedUse: 2 }),
    team('y1', 'y', 3),
    team('y2', 'y', 1),
  ];
  const from = snapshot({ queued, tenants });
  const { fairnessError } = figuresOf(from, openState(from), { starts: [], preemptions: [], waits: [] });
  const errors = new Map(fairnessError.map(({ tenant: id, error }) => [id, error]));
  // Each organisation has its half; of one's the own jobs, y1 and y2 should each have a sixth of all, and have 2, 3 and 1 twelfths.
  expect(errors.get('x1')).toBeCloseTo(0, 9);
  expect(errors.get('y')).toBeCloseTo(0, 9);
  expect(errors.get('y1')).toBeCloseTo(1 / 12, 9);
  expect(errors.get('y2')).toBeCloseTo(1 / 12, 9);
  expect(errors.has('x2')).toBe(false);
});
