import { expect, test } from 'vitest';
import { checkPolicy, type Prospects } from '../../src/jobs/admission.ts';
import type { Lineage } from '../../src/tenants/lineage.ts';
import { sampleQuote } from '../support/app.ts';

const { options } = sampleQuote('qte');

/** One core for ten minutes, under the tenant's policy and what may ever be. */
function blockersOf(lineage: Lineage, prospects: Partial<Prospects>): unknown {
  const whatever = { spentTotals: new Map(), most: () => Infinity, tooSmall: () => [], poolPetaflops: Infinity };
  const admission = { lineage, spec: { name: 'job', command: 'true' }, petaflopsPerAccelerator: () => 1 };
  try {
    checkPolicy({ ...admission, ...whatever, ...prospects }, options);
    return [];
  } catch (error) {
    return (error as { extra: { blockers: unknown } }).extra.blockers;
  }
}

test('what others are guaranteed and never lend can’t be had, unless it is one’s own guarantee', () => {
  expect(blockersOf([{ id: 'a', policy: {} }], { most: () => 0.5 })).toMatchObject([
    { code: 'quota', unblocks: expect.stringContaining('raises what the others lend by 0.5') },
  ]);
  expect(blockersOf([{ id: 'a', policy: { guaranteed: { cpu: 1 } } }], { most: () => 0.5 })).toEqual([]);
  expect(blockersOf([{ id: 'a', policy: {} }], { most: () => 1 })).toEqual([]);
});

test('what a quota of the operator’s account can never hold is refused, and says where to ask for more', () => {
  const short = {
    metric: 'CPUS',
    region: 'us-central1',
    limit: 0,
    unit: 'cores' as const,
    raiseAt: 'https://example.org/q',
    wanted: 1,
  };
  expect(blockersOf([{ id: 'a', policy: {} }], { tooSmall: () => [short] })).toEqual([
    {
      code: 'quota',
      message: expect.stringMatching(/^The job wants 1 cores at once; the quota CPUS of \w+ in us-central1 is 0\.$/),
      unblocks: 'Ask for fewer, or an operator asks for 1 at https://example.org/q.',
    },
  ]);
});

test('a total budget that an organisation has spent is gone for its teams', () => {
  const lineage = [
    { id: 'team', policy: { parent: 'above' } },
    { id: 'above', policy: { budget: { totalUsd: 1 } } },
  ];
  expect(blockersOf(lineage, {})).toEqual([]);
  expect(blockersOf(lineage, { spentTotals: new Map([['above', 1_000_000]]) })).toMatchObject([
    { code: 'budget', message: expect.stringContaining('of the organisation above is $1.00, of which $1.00 is spent') },
  ]);
});

test('a job that is by itself more than a hard share cap never starts; under a soft one it may', () => {
  const shareCap = { share: 0.2, window: '1h' };
  const hour = { poolPetaflops: 0.5 };
  expect(blockersOf([{ id: 'a', policy: { shareCap: { ...shareCap, mode: 'hard' } } }], hour)).toMatchObject([
    { code: 'share-cap', message: expect.stringContaining('the hard share cap is 20.0 %') },
  ]);
  expect(blockersOf([{ id: 'a', policy: { shareCap } }], hour)).toEqual([]);
  expect(blockersOf([{ id: 'a', policy: { shareCap: { ...shareCap, mode: 'hard' } } }], {})).toEqual([]);
});
