import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Blocker } from '../../src/protocol/common.ts';
import type { NewJob } from '../../src/protocol/job.ts';
import type { Policy, PoolPolicy } from '../../src/protocol/tenant.ts';
import { createDatabase } from '../support/database.ts';
import { createInstallation, ended, type Client, type Installation } from '../support/service.ts';

let installation: Installation;
let drop: () => Promise<void>;
let alice: Client;
let other: Client;

beforeAll(async () => {
  const database = await createDatabase();
  drop = database.drop;
  installation = await createInstallation({
    databaseUrl: database.url,
    config: { providers: { local: { cpus: 4, memoryGiB: 4 } } },
  });
  await installation.start();
  alice = await installation.tenant('alice');
  other = await installation.tenant('other');
}, 180_000);
afterAll(async () => {
  await installation.remove();
  await drop();
});

const small = { name: 'small', command: 'true', resources: { cpus: 2, memoryGiB: 0.25, diskGiB: 0.25 } };
/** Forty days of two cores, where the pool gives four. */
const long = { ...small, workload: { expectedDuration: '960h' } };

type Rules = { own?: Policy; others?: Policy; pool?: PoolPolicy };

async function setRules({ own = {}, others = {}, pool = {} }: Rules): Promise<void> {
  const { operator } = installation;
  const puts = [
    operator.call('PUT', `/v1/tenants/${alice.tenantId}/policy`, own),
    operator.call('PUT', `/v1/tenants/${other.tenantId}/policy`, others),
    operator.call('PUT', '/v1/pool/policy', pool),
  ];
  expect((await Promise.all(puts)).map(({ status }) => status)).toEqual([200, 200, 200]);
}

type Verdict = {
  spec?: NewJob;
  rules?: Rules;
  code: Blocker['code'];
  /** What its smallest change says. */
  says: RegExp;
  /** That change, made. */
  done: { spec?: NewJob; rules?: Rules };
};

const wants = (cpus: number): NewJob => ({ ...small, resources: { ...small.resources, cpus } });

const verdicts: [string, Verdict][] = [
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

test.each(verdicts)(
  '%s is refused within a second, and accepted after the change that the answer names',
  async (_name, { spec = small, rules = {}, code, says, done }) => {
    await setRules(rules);
    const startedAt = performance.now();
    const { status, body } = await alice.call('POST', '/v1/jobs', spec);
    const tookMs = performance.now() - startedAt;
    expect({ status, body }).toMatchObject({
      status: 422,
      body: {
        type: expect.stringMatching(/\/can-never-start$/),
        blockers: expect.arrayContaining([expect.objectContaining({ code })]),
        smallestChange: expect.stringMatching(says),
      },
    });
    expect(tookMs).toBeLessThan(1000);

    await setRules(done.rules ?? {});
    const { id, state } = await alice.submit(done.spec ?? small);
    expect(state).toBe('queued');
    await alice.post(`/v1/jobs/${id}/cancel`);
  },
);

test('an end of another job that can’t come any more is refused, and its end may be waited for instead', async () => {
  await setRules({});
  const { id } = await alice.submit({ ...small, command: 'exit 3' });
  expect((await alice.until(id, ended)).state).toBe('failed');
  const refused = await alice.call('POST', '/v1/jobs', { ...small, dependsOn: [{ job: id }] });
  expect(refused).toMatchObject({
    status: 422,
    body: { blockers: [{ code: 'dependency' }], smallestChange: expect.stringContaining('on: end') },
  });
  const { id: accepted } = await alice.submit({ ...small, dependsOn: [{ job: id, on: 'end' }] });
  expect((await alice.until(accepted, ended)).state).toBe('succeeded');
});
