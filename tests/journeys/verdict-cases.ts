import type { Blocker } from '../../src/protocol/common.ts';
import type { NewJob } from '../../src/protocol/job.ts';
import type { Policy, PoolPolicy } from '../../src/protocol/tenant.ts';

export const small = { name: 'small', command: 'true', resources: { cpus: 2, memoryGiB: 0.25, diskGiB: 0.25 } };
/** Forty days of two cores, where the pool gives four. */
const long = { ...small, workload: { expectedDuration: '960h' } };

/** Of the tenant that submits, of another one, and of the pool. */
export type Rules = { own?: Policy; others?: Policy; pool?: PoolPolicy };

export type Verdict = {
  spec?: NewJob;
  rules?: Rules;
  code: Blocker['code'];
  /** What its smallest change says. */
  says: RegExp;
  /** That change, made. */
  done: { spec?: NewJob; rules?: Rules };
};

export const wants = (cpus: number): NewJob => ({ ...small, resources: { ...small.resources, cpus } });

/** Jobs that can never start on a machine of four cores, and what would let them. */
export const verdicts: [string, Verdict][] = [
  ['more than there is', { spec: wants(64), code: 'capacity', says: /Ask for less/, done: { spec: wants(4) } }],
  [
    'accelerators that nobody here has',
    { spec: { ...small, resources: { accelerators: 'H100:8' } }, code: 'capacity', says: /GET \/v1\/offers/, done: {} },
  ],
  [
    'a provider that the policy leaves out',
    { rules: { own: { providers: ['gcp'] } }, code: 'cap', says: /`providers`.*policy/, done: { rules: {} } },
  ],
  [
    'a region that the policy leaves out',
    { rules: { own: { regions: ['us-central1'] } }, code: 'cap', says: /`regions`.*policy/, done: { rules: {} } },
  ],
  [
    'a cap on cores below it',
    {
      rules: { own: { caps: { accelerators: { cpu: 1 } } } },
      code: 'cap',
      says: /at most 1 cores, or an operator raises caps\.accelerators to 2/,
      done: { rules: { own: { caps: { accelerators: { cpu: 2 } } } } },
    },
  ],
  [
    'a cap of no jobs',
    {
      rules: { own: { caps: { runningJobs: 0 } } },
      code: 'cap',
      says: /raises caps\.runningJobs/,
      done: { rules: { own: { caps: { runningJobs: 1 } } } },
    },
  ],
  [
    'a cap on compute below it',
    {
      rules: { own: { caps: { computePflops: 0.000001 } } },
      code: 'cap',
      says: /raises caps\.computePflops to [\d.e-]+\./,
      done: { rules: { own: { caps: { computePflops: 1 } } } },
    },
  ],
  [
    'a quota below it',
    {
      rules: { own: { borrowing: { cpu: 1 } } },
      code: 'quota',
      says: /at most 1 cores, or an operator raises borrowing to 2/,
      done: { rules: { own: { borrowing: { cpu: 2 } } } },
    },
  ],
  [
    'what others are guaranteed and never lend',
    {
      rules: { others: { guaranteed: { cpu: 3 }, lending: { cpu: 0 } } },
      code: 'quota',
      says: /at most 1 cores, or an operator raises what the others lend by 1/,
      done: { rules: { others: { guaranteed: { cpu: 3 }, lending: { cpu: 1 } } } },
    },
  ],
  [
    'a budget of a month below it',
    {
      spec: { ...small, maxCostUsd: 2 },
      rules: { own: { budget: { monthlyUsd: 1 } } },
      code: 'budget',
      says: /maxCostUsd to at most \$1\.00, or an operator raises/,
      done: { spec: { ...small, maxCostUsd: 1 }, rules: { own: { budget: { monthlyUsd: 1 } } } },
    },
  ],
  [
    'a total budget below it',
    {
      spec: { ...small, maxCostUsd: 2000 },
      rules: { own: { budget: { totalUsd: 1000 } } },
      code: 'budget',
      says: /maxCostUsd to at most \$/,
      done: { spec: { ...small, maxCostUsd: 900 }, rules: { own: { budget: { totalUsd: 1000 } } } },
    },
  ],
  [
    'a hard share cap that it passes alone',
    {
      spec: long,
      rules: { own: { shareCap: { share: 0.3, mode: 'hard' } } },
      code: 'share-cap',
      says: /a job of at most \d+ d.*raises shareCap\.share to 0\.[34]\d*/,
      done: { spec: long, rules: { own: { shareCap: { share: 0.3, mode: 'soft' } } } },
    },
  ],
  [
    'a ceiling on the largest share that it passes alone',
    {
      spec: long,
      rules: { pool: { largestShareCeiling: 0.3 } },
      code: 'concentration',
      says: /a job of at most \d+ d.*raises largestShareCeiling of the pool's policy to 0\.[34]\d*/,
      done: {
        spec: { ...small, workload: { expectedDuration: '24h' } },
        rules: { pool: { largestShareCeiling: 0.3 } },
      },
    },
  ],
  [
    'a ceiling on the HHI that it passes alone',
    {
      spec: long,
      rules: { pool: { hhiCeiling: 0.09 } },
      code: 'concentration',
      says: /raises hhiCeiling of the pool's policy to 0\.1\d*/,
      done: { spec: long, rules: { pool: { hhiCeiling: 0.5 } } },
    },
  ],
];
