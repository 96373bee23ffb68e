import { expect, test } from 'vitest';
import { accountBlockers, checkPolicy, type Prospects } from '../../src/jobs/admission.ts';
import type { Lineage } from '../../src/tenants/lineage.ts';
import { sampleQuote } from '../support/app.ts';

const { options } = sampleQuote('qte');

const noCeilings = { hhi: Infinity, largestShare: Infinity, windowMs: 3_600_000 };

/** One core for ten minutes, under the tenant's policy and what may ever be. */
function blockersOf(lineage: Lineage, prospects: Partial<Prospects>, of = options, speed = 1): unknown {
  const whatever = {
    spentTotals: new Map(),
    most: () => Infinity,
    tooSmall: () => [],
    poolPetaflops: Infinity,
    ceilings: noCeilings,
  };
  const admission = { lineage, spec: { name: 'job', command: 'true' }, petaflopsPerAccelerator: () => speed };
  try {
    checkPolicy({ ...admission, ...whatever, ...prospects }, of);
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

test('whom the policy lets queue nothing is not told to wait', () => {
  expect(blockersOf([{ id: 'a', policy: { caps: { queuedJobs: 0 } } }], {})).toEqual([
    {
      code: 'cap',
      message: 'The policy lets the tenant queue no jobs.',
      unblocks: 'An operator raises caps.queuedJobs to 1.',
    },
  ]);
});

const gpus = options.map((option) => ({
  ...option,
  offer: { ...option.offer, accelerators: { kind: 'H100', count: 8 } },
}));

test('a team that is guaranteed nothing can’t have what its organisation’s other teams never lend', () => {
  const organisation = { id: 'o', policy: { guaranteed: { cpu: 8 } } };
  expect(blockersOf([{ id: 't', policy: { parent: 'o' } }, organisation], { most: () => 0 })).toHaveLength(1);
  const team = { id: 't', policy: { parent: 'o', guaranteed: { cpu: 1 } } };
  expect(blockersOf([team, organisation], { most: () => 0 })).toEqual([]);
  const small = { id: 'o', policy: { guaranteed: { cpu: 0.5 } } };
  expect(blockersOf([team, small], { most: () => 0 })).toHaveLength(1);
});

test('a job on GPUs that is guaranteed them can’t have the cores that others never lend', () => {
  const lineage = [{ id: 'a', policy: { guaranteed: { H100: 8 } } }];
  const most = (cores: number) => (_provider: string, kind: string) => (kind === 'cpu' ? cores : 0);
  expect(blockersOf(lineage, { most: most(8) }, gpus)).toEqual([]);
  expect(blockersOf(lineage, { most: most(7) }, gpus)).toMatchObject([
    { code: 'quota', unblocks: 'Ask for at most 7 cores, or an operator raises what the others lend by 1.' },
  ]);
});

test('a cap on speed is compared with what the job wants, not with what is written of it', () => {
  const under = (computePflops: number) =>
    blockersOf([{ id: 'a', policy: { caps: { computePflops } } }], {}, gpus, 0.9895);
  // 7.916 PFLOP/s.
  expect(under(7.916)).toEqual([]);
  expect(under(7.92)).toEqual([]);
  expect(under(7.915)).toMatchObject([{ code: 'cap', unblocks: expect.stringMatching(/computePflops to 7\.92\.$/) }]);
  // The smallest change that is named is enough, also where figures would be rounded down.
  const rounded = blockersOf([{ id: 'a', policy: { caps: { computePflops: 2 } } }], {}, gpus, 2.494 / 8);
  expect(rounded).toMatchObject([{ unblocks: expect.stringMatching(/computePflops to 2\.5\.$/) }]);
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
  const [option] = options;
  expect(option && accountBlockers([short], option.offer)).toEqual([
    {
      code: 'quota',
      message: expect.stringMatching(
        /^The quota CPUS of \w+ in us-central1 is 0 cores, and the job wants 1 at once\.$/,
      ),
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
    {
      code: 'share-cap',
      message: expect.stringContaining('the hard share cap is 20.0 %'),
      unblocks:
        'Ask for fewer accelerators, or for a job of at most 7 min 30 s, or an operator raises shareCap.share to 0.25 or its window.',
    },
  ]);
  expect(blockersOf([{ id: 'a', policy: { shareCap } }], hour)).toEqual([]);
  expect(blockersOf([{ id: 'a', policy: { shareCap: { ...shareCap, mode: 'hard' } } }], {})).toEqual([]);
});

test('a job that is by itself more than a ceiling on concentration never starts, whoever else uses the pool', () => {
  const hour = { poolPetaflops: 0.5 };
  const under = (ceilings: Partial<typeof noCeilings>) =>
    blockersOf([{ id: 'a', policy: {} }], { ...hour, ceilings: { ...noCeilings, ...ceilings } });
  expect(under({ largestShare: 0.2 })).toEqual([
    {
      code: 'concentration',
      message:
        'The job alone is 25.0 % of all that the pool could give in 1 h: its largest share would be 0.250 at least, and its ceiling is 0.2.',
      unblocks:
        "Ask for fewer accelerators, or for a job of at most 7 min 30 s, or an operator raises largestShareCeiling of the pool's policy to 0.25.",
    },
  ]);
  expect(under({ hhi: 0.05 })).toMatchObject([
    { code: 'concentration', unblocks: expect.stringMatching(/raises hhiCeiling of the pool's policy to 0\.063\.$/) },
  ]);
  expect(under({ largestShare: 0.25, hhi: 0.0625 })).toEqual([]);
});
