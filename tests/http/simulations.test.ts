import { expect } from 'vitest';
import { insertJobs } from '../../src/jobs/store.ts';
import { asText } from '../../src/quotes/store.ts';
import { newId } from '../../src/core/ids.ts';
import type { Database } from '../../src/db/database.ts';
import type { Simulation } from '../../src/protocol/simulation.ts';
import { operatorKey, sampleQuote, test } from '../support/app.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 10, 1, 9, minute)).toISOString();
const job = (tenant: string, minute: number, more: object = {}) => ({
  tenant,
  submittedAt: at(minute),
  durationSeconds: 600,
  cpus: 4,
  ...more,
});

test('given jobs are replayed under the policies there are, or under others', async ({ api }) => {
  const [a, b] = [(await api.tenant('a')).id, (await api.tenant('b')).id];
  const jobs = [job(a, 0), job(b, 1), job(a, 2), job(b, 3)];
  const of = async (body: object) => {
    const answer = await api.ask(operatorKey, 'POST /v1/simulations', body);
    expect([answer.statusCode, answer.body]).toEqual([200, expect.any(String)]);
    return answer.json<Simulation>();
  };
  const waitOf = ({ simulated }: Simulation, id: string) =>
    simulated.tenants.find(({ tenant }) => tenant === id)?.waitSeconds.max;

  const now = await of({ jobs });
  expect(now).toMatchObject({ jobs: 4, recorded: null, simulated: { jobs: 4, unstarted: 0, utilization: 1 } });
  expect([waitOf(now, a), waitOf(now, b)]).toEqual([18 * 60, 27 * 60]);
  const heavy = await of({ jobs, policies: { [b]: { weight: 100 } } });
  expect([waitOf(heavy, a), waitOf(heavy, b)]).toEqual([28 * 60, 17 * 60]);
  const larger = await of({ jobs, capacity: [{ provider: 'local', cpus: 16 }] });
  expect(larger.simulated.waitSeconds.max).toBe(0);
});

test('every fault of a simulation is named where it is', async ({ api }) => {
  const { id } = await api.tenant('a');
  const nobody = newId('tenant');
  const faultsOf = async (body: object) => {
    const answer = await api.ask(operatorKey, 'POST /v1/simulations', body);
    expect(answer.statusCode).toBe(400);
    return answer.json<{ errors: { pointer: string; detail: string }[] }>().errors.map(({ pointer }) => pointer);
  };
  expect(await faultsOf({})).toEqual(['/period']);
  expect(await faultsOf({ jobs: [job(id, 0)], period: { from: at(0), to: at(1) } })).toEqual(['/jobs']);
  expect(await faultsOf({ period: { from: at(1), to: at(0) } })).toEqual(['/period/to']);
  expect(await faultsOf({ period: { from: at(0), to: at(1) } })).toEqual(['/period']);
  expect(await faultsOf({ jobs: [job(id, 0, { cpus: 5 }), job(nobody, 0), job(id, 0, { provider: 'moon' })] })).toEqual(['/jobs/0', '/jobs/2/provider', '/jobs/1/tenant']); // prettier-ignore
  expect(await faultsOf({ jobs: [job(id, 0, { expectedSeconds: { p50: 2, p90: 1 } })] })).toEqual(['/jobs/0/expectedSeconds/p90']); // prettier-ignore
  const policies = { [id]: { parent: id, guaranteed: { cpu: 1 }, lending: { cpu: 2 } }, [nobody]: {} };
  expect(await faultsOf({ jobs: [job(id, 0)], policies })).toEqual([`/policies/${nobody}`, `/policies/${id}/lending/cpu`, `/policies/${id}/parent`]); // prettier-ignore
  const capacity = [{ provider: 'local', cpus: 4 }, { provider: 'local', cpus: 8 }]; // prettier-ignore
  expect(await faultsOf({ jobs: [job(id, 0)], capacity })).toEqual(['/capacity/1/provider']);
});

test('guarantees beyond what there is, or beyond the organisation’s, are refused with the figures', async ({ api }) => {
  const [lab, team, other] = [(await api.tenant('lab')).id, (await api.tenant('team')).id, (await api.tenant('o')).id];
  await api.ask(operatorKey, `PUT /v1/tenants/${other}/policy`, { guaranteed: { cpu: 2 } });
  const ask = (policies: object, more: object = {}) =>
    api.ask(operatorKey, 'POST /v1/simulations', { jobs: [job(lab, 0)], policies, ...more });
  const faultsOf = async (policies: object, more?: object) => (await ask(policies, more)).json().errors;

  expect(await faultsOf({ [lab]: { guaranteed: { cpu: 3 } } })).toEqual([
    {
      pointer: `/policies/${lab}/guaranteed/cpu`,
      detail: '5 cpu are guaranteed in all, and there are 4: guarantee less, or give more capacity.',
    },
  ]);
  const small = { jobs: [job(lab, 0, { cpus: 1 })], capacity: [{ provider: 'local', cpus: 1 }] };
  expect(await faultsOf({}, small)).toMatchObject([{ pointer: '/capacity' }]);
  expect(
    await faultsOf({ [lab]: { guaranteed: { cpu: 1 } }, [team]: { parent: lab, guaranteed: { cpu: 2 } } }),
  ).toContainEqual({
    pointer: `/policies/${team}/guaranteed/cpu`,
    detail: `The teams under ${lab} are guaranteed 2 cpu together, and its guaranteed is 1: lower theirs, or raise it.`,
  });
  // What a team is guaranteed is a part of its organisation's.
  const within = { [lab]: { guaranteed: { cpu: 2 } }, [team]: { parent: lab, guaranteed: { cpu: 2 } } };
  expect((await ask(within)).statusCode).toBe(200);
});

test('a period is answered with what happened beside what would have', async ({ api, db }) => {
  const { id } = await api.tenant('a');
  // Both had the whole machine for twenty minutes, though they were quoted ten; the second had to be tried twice.
  await addFinished(db, { tenantId: id, queued: 0, attempts: [[0, 20]] });
  await addFinished(db, { tenantId: id, queued: 1, attempts: [[20, 25], [30, 50]] }); // prettier-ignore
  const period = { from: at(0), to: at(59) };
  const compared = await api.ask(operatorKey, 'POST /v1/simulations', {
    period,
    baseline: true,
    policies: { [id]: { caps: { runningJobs: 0 } } },
  });
  expect(compared.json()).toMatchObject({ baseline: { waitSeconds: { max: 0 } }, simulated: { unstarted: 2 } });
  const answer = await api.ask(operatorKey, 'POST /v1/simulations', { period });
  expect(answer.json().baseline).toBe(null);
  expect(answer.json()).toMatchObject({
    jobs: 2,
    recorded: { waitSeconds: { max: 19 * 60 }, makespanSeconds: 50 * 60 },
    simulated: { waitSeconds: { max: 0 }, makespanSeconds: 21 * 60 },
  });
});

test('others are answered while a simulation runs', async ({ api }) => {
  const { id } = await api.tenant('a');
  const jobs = Array.from({ length: 3000 }, (_, index) => job(id, index % 60, { cpus: 1 + (index % 4) }));
  let isDone = false;
  const simulation = api.ask(operatorKey, 'POST /v1/simulations', { jobs }).finally(() => (isDone = true));
  let answered = 0;
  while (!isDone) {
    expect((await api.ask(operatorKey, 'GET /v1/tenants')).statusCode).toBe(200);
    answered += 1;
  }
  expect((await simulation).statusCode).toBe(200);
  expect(answered).toBeGreaterThan(1);
});

type Finished = { tenantId: string; queued: number; attempts: [from: number, to: number][] };

/** A job that ended, with its attempts, as the service leaves one behind. Minutes. */
async function addFinished(db: Database, { tenantId, queued, attempts }: Finished): Promise<void> {
  const id = newId('job');
  const quote = sampleQuote(newId('quote'));
  const [option] = quote.options;
  if (option === undefined) throw new Error('the sample has no option');
  const spec = { name: 'past', command: 'true' };
  await insertJobs(db, [
    { id, tenantId, spec, quote: asText(quote), isNewQuote: true, options: [option], at: new Date(at(queued)) },
  ]);
  await db.client.job.update({ where: { id }, data: { state: 'succeeded', attemptNumber: attempts.length } });
  await db.client.attempt.createMany({
    data: attempts.map(([from, to], index) => ({
      id: newId('attempt'),
      jobId: id,
      tenantId,
      number: index + 1,
      state: 'succeeded',
      offer: option.offer,
      limits: {},
      createdAt: new Date(at(from)),
      finishedAt: new Date(at(to)),
      leaseExpiresAt: new Date(at(to)),
    })),
  });
}
