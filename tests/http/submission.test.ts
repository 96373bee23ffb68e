import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { createProspects } from '../../src/dispatch/prospects.ts';
import { createSubmit } from '../../src/jobs/submit.ts';
import type { Job } from '../../src/protocol/job.ts';
import type { Quote } from '../../src/protocol/quote.ts';
import type { Database } from '../../src/db/database.ts';
import type { Policy } from '../../src/protocol/tenant.ts';
import { charge, committedByTenant } from '../../src/shares/store.ts';
import { currentPolicies, currentPoolPolicy } from '../../src/tenants/policies.ts';
import { operatorKey, sampleQuote, test } from '../support/app.ts';

const job = { name: 'train', command: 'true' };

type Priced = { costUsd: number; durationSeconds: number };

/** Submits what is quoted to cost and take so much at most. */
function submitWith(db: Database, tenantId: string, { costUsd, durationSeconds }: Priced, policy: Policy = {}) {
  const quote = async (): Promise<Quote> => {
    const sample = sampleQuote(newId('quote'));
    const options = sample.options.map((option) => ({
      ...option,
      costUsd: { ...option.costUsd, p90: costUsd },
      durationSeconds: { ...option.durationSeconds, p90: durationSeconds },
    }));
    return { ...sample, options };
  };
  const never = () => Promise.reject(new Error('not asked'));
  const submit = createSubmit({
    db,
    now: () => new Date(),
    quote,
    holdQuote: never,
    lineage: async (tenant) => [{ id: tenant, policy }],
    checkReferences: async () => undefined,
    isBarred: async () => false,
    isFree: async () => false,
    occupy: async () => true,
    petaflopsPerAccelerator: () => 2,
    prospects: createProspects({
      db,
      now: () => new Date(),
      capacities: async () => new Map(),
      petaflopsPerAccelerator: () => 2,
      policies: currentPolicies,
      poolPolicy: currentPoolPolicy,
      committed: committedByTenant,
    }).prospects,
    wakeDispatch: () => undefined,
  });
  return async (spec: object = {}): Promise<Job> =>
    JSON.parse(await submit(tenantId, { ...job, ...spec }, newId('job')));
}

test('a job beyond what money and calendars count is refused, since it would stop everybody’s dispatch', async ({
  api,
  db,
}) => {
  const { id } = await api.tenant('vision');
  for (const priced of [
    { costUsd: 1e22, durationSeconds: 600 },
    { costUsd: 1, durationSeconds: 1e22 },
    { costUsd: Infinity, durationSeconds: 600 },
  ])
    await expect(submitWith(db, id, priced)()).rejects.toMatchObject({
      code: 'can-never-start',
      extra: { blockers: [{ code: 'capacity' }] },
    });
  expect((await submitWith(db, id, { costUsd: 1e22, durationSeconds: 600 })({ maxCostUsd: 5 })).state).toBe('queued');
});

test('where the policy leaves out every provider or region of the offers, also since the quote, it is named', async ({
  api,
  db,
}) => {
  const { id } = await api.tenant('vision');
  const policies: [Policy, RegExp][] = [
    [{ providers: ['gcp'] }, /does not allow the provider local/],
    [{ regions: ['us-central1'] }, /does not allow the region local/],
  ];
  for (const [policy, message] of policies) {
    await expect(submitWith(db, id, { costUsd: 1, durationSeconds: 600 }, policy)()).rejects.toMatchObject({
      code: 'can-never-start',
      message: expect.stringMatching(message),
      extra: {
        blockers: [{ code: 'cap', message: expect.stringMatching(message), unblocks: expect.stringMatching(/policy/) }],
      },
    });
  }
});

test('what the policy never lets start is refused, naming every blocker', async ({ api, db }) => {
  const { id } = await api.tenant('vision');
  const refused = (policy: Policy) =>
    submitWith(db, id, { costUsd: 2, durationSeconds: 600 }, policy)().then(
      () => [],
      ({ extra }: { extra: { blockers: { code: string; unblocks: string }[] } }) =>
        extra.blockers.map(({ code }) => code),
    );
  expect(await refused({ caps: { computePflops: 1.9 } })).toEqual(['cap']);
  expect(
    await refused({ caps: { computePflops: 2, accelerators: { cpu: 1 } }, budget: { totalUsd: 2, monthlyUsd: 2 } }),
  ).toEqual([]);
  expect(
    await refused({ caps: { runningJobs: 0, accelerators: { cpu: 0 } }, budget: { totalUsd: 1, monthlyUsd: 1 } }),
  ).toEqual(['cap', 'cap', 'budget', 'budget']);
});

test('what is spent of the total budget does not come back', async ({ api, db }) => {
  const { id } = await api.tenant('vision');
  await db.transaction((tx) =>
    charge(tx, { tenantId: id, jobId: newId('job'), attempt: 1, amount: 3_000_000, note: 'test', at: new Date() }),
  );
  const submit = submitWith(db, id, { costUsd: 2, durationSeconds: 600 }, { budget: { totalUsd: 4 } });
  await expect(submit()).rejects.toThrow('The job reserves $2.00; budget.totalUsd is $4.00, of which $3.00 is spent.');
});

test('a priority above the tenant’s ceiling is refused; where none is stated, it is the ceiling at most', async ({
  api,
}) => {
  const { id, keys } = await api.tenant('vision');
  await api.ask(operatorKey, `PUT /v1/tenants/${id}/policy`, { priorityCeiling: 40 });
  const above = await api.ask(keys.member, 'POST /v1/jobs', { ...job, priority: 41 });
  expect(above.json().errors[0].pointer).toBe('/priority');
  expect((await api.ask(keys.member, 'POST /v1/jobs', job)).json().spec.priority).toBe(40);
  expect((await api.ask(keys.member, 'POST /v1/jobs', { ...job, priority: 3 })).json().spec.priority).toBe(3);
});

test('a submission answers what a look at the job then answers, but for its place, which nobody has counted yet', async ({
  api,
}) => {
  const { keys } = await api.tenant('vision');
  const submitted = (await api.ask(keys.member, 'POST /v1/jobs', job)).json();
  expect(submitted.waiting.position).toBeNull();
  expect((await api.ask(keys.member, `GET /v1/jobs/${submitted.id}`)).json()).toEqual({
    ...submitted,
    waiting: { ...submitted.waiting, position: 1 },
  });
});

test('a job that says absurd things of its progress can still be looked at', async ({ api, db }) => {
  const { id: tenantId, keys } = await api.tenant('vision');
  const { id: jobId, quote } = (await api.ask(keys.member, 'POST /v1/jobs', job)).json();
  const at = new Date();
  await db.client.attempt.create({
    data: {
      id: newId('attempt'),
      jobId,
      tenantId,
      number: 1,
      state: 'running',
      offer: quote.options[0].offer,
      limits: {},
      createdAt: at,
      startedAt: at,
      leaseExpiresAt: at,
    },
  });
  await db.client.job.update({
    where: { id: jobId },
    data: { state: 'running', startedAt: at, progress: { done: 1e-300, total: 1e300, unit: null } },
  });
  const { progress } = (await api.ask(keys.viewer, `GET /v1/jobs/${jobId}`)).json();
  expect(progress.total).toBe(1e300);
  expect(Date.parse(progress.eta.p90)).toBeLessThan(at.getTime() + 3_600_000);
});
