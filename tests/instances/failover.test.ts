import { expect } from 'vitest';
import { WeirError } from '../../src/core/errors.ts';
import { newId } from '../../src/core/ids.ts';
import { insertJobs } from '../../src/jobs/store.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import type { Offer } from '../../src/protocol/quote.ts';
import { asText } from '../../src/quotes/store.ts';
import type { Shortage } from '../../src/providers/provider.ts';
import { sampleQuote } from '../support/app.ts';
import { accountsOf, addTenant, jobOf, lastAttempt, startRunning, test, type World } from './world.ts';

type Place = Pick<Offer, 'zone' | 'market'> & Partial<Offer>;

const inZones = (...zones: string[]): Place[] => zones.map((zone) => ({ zone, market: 'on-demand' }));

/** A job with these options, in this order. */
async function addJobIn({ db, now }: World, places: Place[], spec: Partial<JobSpec> = {}): Promise<string> {
  const id = newId('job');
  const quote = sampleQuote(newId('quote'));
  const [option] = quote.options;
  if (option === undefined) throw new Error('no option');
  const options = places.map((place) => {
    const offer = { ...option.offer, provider: 'scripted', region: 'r', machineType: 'm', ...place };
    return {
      ...option,
      id: newId('option'),
      offer: { ...offer, id: `${offer.zone}/${offer.machineType}/${offer.market}` },
    };
  });
  const whole: JobSpec = { name: 'job', command: 'true', ...spec };
  const tenantId = await addTenant({ db, now } as World);
  await insertJobs(db, [{ id, tenantId, spec: whole, quote: asText(quote), isNewQuote: true, options, at: now() }]);
  return id;
}

/** As the cloud's provider answers that a zone has none. */
function stockoutIn(zone: string, zonesAvailable: string[] = []): WeirError {
  const of = { region: 'r', zone, machineType: 'm', market: 'on-demand' } as const;
  const shortage: Shortage = { cause: 'stockout', of, message: `${zone} has none.`, zonesAvailable };
  return new WeirError('no-capacity', shortage.message, { extra: { shortage } });
}

function quotaOf(region: string): WeirError {
  const shortage: Shortage = {
    cause: 'quota',
    of: { region },
    message: 'The quota X in r is used up.',
    zonesAvailable: [],
  };
  return new WeirError('no-capacity', shortage.message, { extra: { shortage } });
}

/** One more attempt of the job, which the provider answers so. */
async function tryOnce(world: World, jobId: string, answer: WeirError): Promise<Offer | undefined> {
  const before = (await jobOf(world, jobId)).attemptNumber;
  await world.cycle();
  if ((await jobOf(world, jobId)).attemptNumber === before) return undefined;
  const { id, instances, offer } = await lastAttempt(world, jobId);
  world.provider.fail('create', answer);
  await world.launch(instances[0]?.id ?? '');
  await world.settle(id);
  return offer as unknown as Offer;
}

test('a shortage goes to the zone that the answer names, then the next of the region, then the next offer', async ({
  world,
}) => {
  const jobId = await addJobIn(world, [...inZones('a', 'b', 'c'), { zone: 'a', market: 'spot' }], {
    retries: { max: 0 },
  });
  const zones: (string | undefined)[] = [];
  for (const answer of [stockoutIn('a', ['c']), stockoutIn('c'), stockoutIn('b')]) {
    const offer = await tryOnce(world, jobId, answer);
    zones.push(`${offer?.zone} ${offer?.market}`);
  }
  expect(zones).toEqual(['a on-demand', 'c on-demand', 'b on-demand']);
  await startRunning(world, jobId);
  expect((await lastAttempt(world, jobId)).offer).toMatchObject({ zone: 'a', market: 'spot' });
  // None of its retries is used up, and nothing was paid.
  expect(await jobOf(world, jobId)).toMatchObject({ failedAttempts: 0, state: 'running' });
});

test('a job whose offers are all short waits, says for what and until when, and is tried again', async ({ world }) => {
  const jobId = await addJobIn(world, inZones('a', 'b'));
  await tryOnce(world, jobId, stockoutIn('a'));
  await tryOnce(world, jobId, stockoutIn('b'));
  expect(await tryOnce(world, jobId, stockoutIn('a'))).toBeUndefined();
  const { waiting, state } = await jobOf(world, jobId);
  expect(state).toBe('queued');
  expect(waiting).toMatchObject({
    blockers: [{ code: 'stockout', message: 'a has none.', unblocks: 'It is asked for again about 12:01 UTC.' }],
    eta: { p50: '2026-11-10T12:01:00.000Z' },
  });
  expect(await accountsOf(world, jobId)).toEqual({ available: 0, reserved: 0, spent: 0 });
  world.advance(61);
  await startRunning(world, jobId);
});

test('after a shortage one job tries, and the others when it got its machine', async ({ world, db }) => {
  const jobs = [
    await addJobIn(world, inZones('a')),
    await addJobIn(world, inZones('a')),
    await addJobIn(world, inZones('a')),
  ];
  const [first = ''] = jobs;
  await tryOnce(world, first, stockoutIn('a'));
  for (const id of jobs.slice(1)) {
    const { id: attemptId, instances } = await lastAttempt(world, id);
    world.provider.fail('create', stockoutIn('a'));
    await world.launch(instances[0]?.id ?? '');
    await world.settle(attemptId);
  }
  const provisioning = () => db.client.job.count({ where: { state: { in: ['provisioning', 'running'] } } });
  world.advance(61);
  await world.cycle();
  await world.cycle();
  expect(await provisioning()).toBe(1);
  const probing = await db.client.instance.findFirstOrThrow({ where: { state: 'requested' } });
  await world.launch(probing.id);
  await world.cycle();
  expect(await provisioning()).toBe(3);
  expect(await db.client.shortage.count()).toBe(0);
});

test('a quota holds for its whole region, an operator is told once, and the job says what to ask for', async ({
  world,
  db,
}) => {
  const jobId = await addJobIn(world, [...inZones('a', 'b'), { zone: 'x', region: 'other', market: 'on-demand' }]);
  await tryOnce(world, jobId, quotaOf('r'));
  expect(world.errors.splice(0)).toEqual([expect.objectContaining({ message: 'The quota X in r is used up.' })]);
  const next = await tryOnce(world, jobId, quotaOf('other'));
  expect(next).toMatchObject({ region: 'other' });
  await world.cycle();
  expect((await jobOf(world, jobId)).waiting).toMatchObject({ blockers: [{ code: 'quota' }] });
  expect(await db.client.shortage.findMany({ select: { cause: true, region: true, zone: true } })).toEqual([
    { cause: 'quota', region: 'r', zone: null },
    { cause: 'quota', region: 'other', zone: null },
  ]);
  world.errors.splice(0);
});

test('who is refused fails in the end with what an operator has to do, and asks ever more seldom until then', async ({
  world,
}) => {
  const message = 'weir lacks a permission in the project p.';
  const refused = () =>
    new WeirError('invalid', message, {
      extra: { shortage: { cause: 'refused', of: {}, message, zonesAvailable: [] } },
    });
  const jobId = await addJobIn(world, inZones('a', 'b'), { retries: { max: 2 } });
  const pauses: number[] = [];
  for (let tries = 0; tries < 3; tries += 1) {
    let waited = 0;
    while ((await tryOnce(world, jobId, refused())) === undefined) {
      world.advance(20);
      waited += 20;
    }
    pauses.push(waited);
  }
  expect(pauses).toEqual([0, 60, 120]);
  expect(await jobOf(world, jobId)).toMatchObject({ state: 'failed', reason: 'provisioning-failed', message });
  expect(world.errors.splice(0)).toHaveLength(1);
});

test('a job that lost its spot machines so often goes on with on-demand ones', async ({ world }) => {
  const spot: Place[] = ['a', 'b', 'c'].map((zone) => ({ zone, market: 'spot' }));
  const jobId = await addJobIn(world, [...spot, ...inZones('a', 'b')], { retries: { max: 9, onDemandAfter: 2 } });
  const ran: string[] = [];
  for (let evictions = 0; evictions < 3; evictions += 1) {
    const { attemptId, number, tokens } = await startRunning(world, jobId);
    const { offer } = await lastAttempt(world, jobId);
    ran.push(`${(offer as unknown as Offer).market} ${(offer as unknown as Offer).zone}`);
    for (const token of tokens) await world.end(token, number, 'preemption');
    await world.settle(attemptId);
    world.advance(3600);
  }
  expect(ran).toEqual(['spot a', 'spot b', 'on-demand a']);
});

test('a spot machine that vanishes was taken away: its time is paid, and lost work is counted', async ({ world }) => {
  const jobId = await addJobIn(world, [
    { zone: 'a', market: 'spot' },
    { zone: 'b', market: 'spot' },
  ]);
  const { tokens } = await startRunning(world, jobId);
  world.advance(100);
  await world.beat(tokens[0] ?? '', 1, 'running');
  const { id, instances } = await lastAttempt(world, jobId);
  world.provider.vanish(instances[0]?.name ?? '');
  await world.sweep();
  await world.settle(id);
  const { attempts, state } = await jobOf(world, jobId);
  expect(state).toBe('queued');
  expect(attempts[0]).toMatchObject({ reason: 'preemption', lostSeconds: 100 });
  expect((await accountsOf(world, jobId)).spent).toBeGreaterThan(0);
});
