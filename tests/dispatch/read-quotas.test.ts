import { expect } from 'vitest';
import { createCurrentOffers } from '../../src/dispatch/availability.ts';
import { createPoolCapacity } from '../../src/dispatch/pool-capacity.ts';
import { newId } from '../../src/core/ids.ts';
import { createProspects } from '../../src/dispatch/prospects.ts';
import { createQueueOutlook } from '../../src/dispatch/queue-outlook.ts';
import { writeAccountQuotas } from '../../src/instances/account-quota-store.ts';
import { createRefreshQuotas } from '../../src/instances/refresh-quotas.ts';
import type { AccountQuota, QuotaReading } from '../../src/providers/provider.ts';
import type { Offer } from '../../src/protocol/quote.ts';
import { currentPolicies, currentPoolPolicy } from '../../src/tenants/policies.ts';
import { quoteOf } from '../quotes/sample.ts';
import { sampleQuote } from '../support/app.ts';
import { addJob, addTenant, jobOf, lastAttempt, startRunning, test, type World } from '../instances/world.ts';

const raiseAt = 'https://cloud.example.org/quotas';

/** Of the scripted cloud, whose every job takes one core. */
const reading = ({ regional }: { regional: number }, used = 0): QuotaReading => {
  const takes = [{ machineType: 'this-machine', market: 'on-demand' as const, amount: 1 }];
  const common = { unit: 'cores' as const, takes, raiseAt, used };
  const quotas: AccountQuota[] = [{ ...common, metric: 'CPUS', region: 'local', kind: 'cpu', limit: regional }];
  return { quotas, unknown: [] };
};
const refresh = (world: World, read: () => Promise<QuotaReading>) =>
  createRefreshQuotas({
    ...world,
    provider: () => ({ ...world.provider, quotas: read }),
    wakeDispatch: () => void world.woken.push('dispatch'),
  })('scripted');
const stateOf = async (world: World, id: string) => (await jobOf(world, id)).state;

test('jobs start as far as the quota goes; the next says why it waits, and starts when one has ended', async ({
  world,
}) => {
  const tenantId = await addTenant(world);
  await refresh(world, async () => reading({ regional: 2 }));
  const jobs: string[] = [];
  for (let n = 0; n < 3; n += 1) {
    world.advance(1);
    jobs.push(await addJob(world, tenantId));
  }
  const [first = '', second = '', third = ''] = jobs;
  const { number, tokens } = await startRunning(world, first);
  expect([await stateOf(world, second), await stateOf(world, third)]).toEqual(['provisioning', 'queued']);
  expect((await jobOf(world, third)).waiting).toMatchObject({
    blockers: [{ code: 'quota', message: "scripted's quota CPUS in local has 2 of 2 cores used; the job wants 1." }],
  });
  const capacity = await createPoolCapacity({ ...world, capacities: async () => new Map([['scripted', undefined]]) })();
  expect(capacity.quotas).toMatchObject([
    {
      provider: 'scripted',
      metric: 'CPUS',
      region: 'local',
      limit: 2,
      used: 2,
      usedByOthers: 0,
      raiseAt,
      markets: ['on-demand'],
    },
  ]);

  await world.end(tokens[0] ?? '', number);
  await world.settle((await lastAttempt(world, first)).id);
  await world.cycle();
  expect(await stateOf(world, third)).toBe('provisioning');
});

test('of what the provider says is used, weir’s own machines are not counted twice, and others’ are left alone', async ({
  world,
}) => {
  const tenantId = await addTenant(world);
  await startRunning(world, await addJob(world, tenantId));
  // One is weir's, the other somebody else's.
  await refresh(world, async () => reading({ regional: 3 }, 2));
  const [next, last] = [await addJob(world, tenantId), await addJob(world, tenantId)];
  await world.cycle();
  expect([await stateOf(world, next), await stateOf(world, last)].toSorted()).toEqual(['provisioning', 'queued']);
});

test('a machine that comes or goes while the quota is read counts as others’, until it is read again', async ({
  world,
}) => {
  const tenantId = await addTenant(world);
  const job = await addJob(world, tenantId);
  await world.cycle();
  await refresh(world, async () => {
    // Nobody knows whether the provider has counted it already.
    await world.launch((await lastAttempt(world, job)).instances[0]?.id ?? '');
    return reading({ regional: 2 }, 1);
  });
  const next = await addJob(world, tenantId);
  await world.cycle();
  expect(await stateOf(world, next)).toBe('queued');
  world.advance(31);
  await refresh(world, async () => reading({ regional: 2 }, 1));
  await world.cycle();
  expect(await stateOf(world, next)).toBe('provisioning');
});

test('what was read long ago, or could not be read, holds nothing back', async ({ world }) => {
  const tenantId = await addTenant(world);
  await refresh(world, async () => reading({ regional: 0 }));
  const job = await addJob(world, tenantId);
  await world.cycle();
  expect(await stateOf(world, job)).toBe('queued');
  world.advance(16 * 60);
  await world.cycle();
  expect(await stateOf(world, job)).toBe('provisioning');
  const unknown = [{ of: { region: 'local' }, message: 'weir lacks a permission.' }];
  await writeAccountQuotas(world.db.client, { provider: 'scripted', readAt: world.now(), quotas: [], unknown });
  const next = await addJob(world, tenantId);
  await world.cycle();
  expect(await stateOf(world, next)).toBe('provisioning');
  const { unknownQuotas } = await createPoolCapacity({ ...world, capacities: async () => new Map() })();
  expect(unknownQuotas).toMatchObject([{ provider: 'scripted', region: 'local', message: 'weir lacks a permission.' }]);
});

test('a share cap is measured against what the quotas could have given', async ({ world }) => {
  // Without them whoever is alone may start; a tenth of 2 cores for an hour is less than one job of ten minutes.
  const tenantId = await addTenant(world, { shareCap: { share: 0.5, window: '1h', mode: 'hard' } });
  await refresh(world, async () => reading({ regional: 2 }));
  const job = await addJob(world, tenantId);
  await world.cycle();
  expect((await jobOf(world, job)).waiting).toMatchObject({ blockers: [{ code: 'share-cap' }] });
  world.advance(31);
  await refresh(world, async () => reading({ regional: 1000 }));
  await world.cycle();
  expect(await stateOf(world, job)).toBe('provisioning');
});

test('an offer shows the tightest of its quotas, and is refused only where it could never be had', async ({
  world,
}) => {
  const tenantId = await addTenant(world);
  const { db, now } = world;
  await refresh(world, async () => {
    const { quotas } = reading({ regional: 4 }, 1);
    const [regional] = quotas;
    if (regional === undefined) throw new Error('There is a quota.');
    const { region: _everywhere, kind: _any, ...all } = regional;
    return { quotas: [regional, { ...all, metric: 'CPUS_ALL_REGIONS', limit: 64 }], unknown: [] };
  });
  await addJob(world, tenantId);
  await world.cycle();
  const offer: Offer = {
    id: 'scripted/local/this-machine',
    provider: 'scripted',
    region: 'local',
    zone: 'z',
    machineType: 'this-machine',
    accelerators: { kind: 'cpu', count: 1 },
    nodes: 1,
    market: 'on-demand',
    hourlyUsd: 1,
    priceDate: '2026-11-10',
  };
  const capacities = async () => new Map([['scripted', undefined]]);
  const spot: Offer = { ...offer, market: 'spot' };
  const offers = await createCurrentOffers({ db, now, capacities, offers: async () => [offer, spot] })();
  expect(offers.map(({ availability }) => availability.quota)).toEqual([
    { metric: 'CPUS', region: 'local', unit: 'cores', limit: 4, used: 2, free: 2, raiseAt },
    null,
  ]);

  const petaflopsPerAccelerator = () => 1;
  const committed = async () => new Map();
  const { prospects } = createProspects({
    db,
    now,
    capacities,
    petaflopsPerAccelerator,
    policies: currentPolicies,
    poolPolicy: currentPoolPolicy,
    committed,
  });
  const { tooSmall, most, poolPetaflops } = await prospects([{ id: tenantId, policy: {} }]);
  // What others use now they may give back.
  expect(tooSmall({ ...offer, nodes: 4 })).toEqual([]);
  expect(tooSmall({ ...offer, nodes: 5 })).toMatchObject([{ metric: 'CPUS', region: 'local', limit: 4, wanted: 5 }]);
  expect(tooSmall({ ...spot, nodes: 5 })).toEqual([]);
  expect([most('scripted', 'cpu'), poolPetaflops]).toEqual([4, 4]);
});

test('a quote knows the quotas: it starts when a machine gives one back, and never where the job alone passes it', async ({
  world,
}) => {
  const tenantId = await addTenant(world);
  await refresh(world, async () => reading({ regional: 2 }, 1));
  await startRunning(world, await addJob(world, tenantId));
  const wait = await createQueueOutlook({ ...world, capacities: async () => new Map([['scripted', undefined]]) })(
    tenantId,
    { name: 'next', command: 'true' },
  );
  const [option] = sampleQuote(newId('quote')).options;
  if (option === undefined) throw new Error('There is an option.');
  const { durationSeconds } = option;
  const offer = { ...option.offer, provider: 'scripted', region: 'local', machineType: 'this-machine' };
  // One core is others', one is weir's until the job's expected end: two are free as soon as others give theirs back.
  expect(wait(offer, durationSeconds)).toEqual({ p50: durationSeconds.p50, p90: durationSeconds.p90 });
  expect(wait({ ...offer, nodes: 2 }, durationSeconds)).toEqual({ p50: 120, p90: 1800 });
  expect(wait({ ...offer, market: 'spot' }, durationSeconds)).toEqual({ p50: 0, p90: 0 });
  const { never } = wait({ ...offer, nodes: 3 }, durationSeconds);
  expect(never).toEqual([
    `The quota CPUS of scripted in local is 2 cores, and the job wants 3 at once: an operator asks for more at ${raiseAt}.`,
  ]);

  const quote = quoteOf({}, { queueWait: () => ({ p50: 0, p90: 0, never: never ?? [] }) });
  expect(quote.options.filter(({ offer: { provider } }) => provider === 'local')).toMatchObject([
    { feasible: false, reasons: never },
  ]);
  expect(quote.recommended).toBeNull();
});
