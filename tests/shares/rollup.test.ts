import fc from 'fast-check';
import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { dayMs, hourMs } from '../../src/core/time.ts';
import type { Database } from '../../src/db/database.ts';
import { createRollup } from '../../src/shares/rollup.ts';
import { lockRollup, sumUp } from '../../src/shares/rollup-store.ts';
import { decayedUse, useSince } from '../../src/shares/usage.ts';
import {
  readUse,
  readUseByBucket,
  readUseByHour,
  readWaste,
  type Dimension,
  type Use,
} from '../../src/shares/use-store.ts';
import { splitByHour } from '../../src/shares/window.ts';
import { test } from '../support/database.ts';
import { epoch, insertRunning, insertTenant, minutesLater } from './fixtures.ts';

const now = new Date(epoch.getTime() + 70 * dayMs);

type Entry = Use & { tenantId: string; kind: string; provider: string; region: string; from: Date; to: Date };

const stretch = fc.record({
  tenant: fc.integer({ min: 0, max: 2 }),
  kind: fc.constantFrom('H100', 'cpu'),
  region: fc.constantFrom('here', 'there'),
  startMs: fc.oneof(
    fc.integer({ min: 0, max: now.getTime() - epoch.getTime() - 1 }),
    fc.integer({ min: 0, max: 70 * 24 - 1 }).map((hours) => hours * hourMs),
  ),
  lengthMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3 * hourMs })),
  microUsd: fc.integer({ min: -1_000_000, max: 10_000_000 }),
});

const history = fc.record({
  stretches: fc.array(stretch, { minLength: 1, maxLength: 40 }),
  /** After how many stretches it is summed up, and whether that dies before it commits. */
  rollUps: fc.array(fc.record({ after: fc.integer({ min: 0, max: 40 }), crashes: fc.boolean() }), { maxLength: 5 }),
  windowMs: fc.oneof(
    fc.integer({ min: hourMs, max: 71 * dayMs }),
    fc.integer({ min: 1, max: 71 }).map((days) => days * dayMs),
  ),
});

test(
  'summed up at any moments, with crashes, what was used in any window is what the entries say',
  { timeout: 120_000 },
  async ({ db }) => {
    const rollUp = createRollup({ db, preemptions: [] });
    await fc.assert(
      fc.asyncProperty(history, async ({ stretches, rollUps, windowMs }) => {
        await forget(db);
        const tenantIds = await Promise.all([0, 1, 2].map(() => insertTenant(db, newId('tenant'))));
        const entries = stretches.flatMap((each) => entriesOf(each, tenantIds[each.tenant] ?? ''));
        for (const [index, entry] of entries.entries()) {
          await db.client.usageEntry.create({
            data: { ...entry, jobId: 'job', attempt: 1, instanceId: newId('instance') },
          });
          for (const { crashes } of rollUps.filter(({ after }) => after === index))
            await (crashes ? sumUpAndDie(db) : rollUp());
        }
        await expectExact(db, entries, { from: new Date(now.getTime() - windowMs), to: now });
        await rollUp();
        await rollUp();
        expect(await db.client.rollupPending.count()).toBe(0);
        await expectExact(db, entries, { from: new Date(now.getTime() - windowMs), to: now });
      }),
      { numRuns: 15 },
    );
  },
);

/** The entries stay, since nothing can remove them; only here no tenant of theirs is asked for again. */
async function forget(db: Database): Promise<void> {
  await db.pool
    .query(`ALTER TABLE usage_entry DISABLE TRIGGER USER; DELETE FROM usage_entry; ALTER TABLE usage_entry ENABLE TRIGGER USER;
    DELETE FROM rollup_pending; DELETE FROM use_rollup`);
}

function entriesOf(
  { startMs, lengthMs, ...each }: typeof stretch extends fc.Arbitrary<infer T> ? T : never,
  tenantId: string,
): Entry[] {
  const from = new Date(epoch.getTime() + startMs);
  const to = new Date(Math.min(from.getTime() + lengthMs, now.getTime()));
  const shared = { tenantId, kind: each.kind, provider: 'local', region: each.region };
  if (lengthMs === 0)
    return [{ ...shared, from, to: from, acceleratorSeconds: 0, petaflopSeconds: 0, microUsd: each.microUsd }];
  return splitByHour({ from, to }).map((hour) => {
    const seconds = (hour.to.getTime() - hour.from.getTime()) / 1000;
    return {
      ...shared,
      ...hour,
      acceleratorSeconds: 4 * seconds,
      petaflopSeconds: 2 * seconds,
      microUsd: each.microUsd,
    };
  });
}

async function sumUpAndDie(db: Database): Promise<void> {
  const dies = db.transaction(async (tx) => {
    await lockRollup(tx);
    await sumUp(tx, [], 7);
    throw new Error('crash');
  });
  await expect(dies).rejects.toThrow('crash');
}

async function expectExact(db: Database, entries: Entry[], window: { from: Date; to: Date }): Promise<void> {
  const scope = { ...window, tenantIds: null, live: undefined };
  const keys = {
    all: () => '',
    kind: (entry: Entry) => entry.kind,
    provider: (entry: Entry) => entry.provider,
    region: (entry: Entry) => entry.region,
  };
  for (const [dimension, keyOf] of Object.entries(keys)) {
    const rows = await readUse(db.client, scope, dimension as Dimension);
    expectSame(
      new Map(rows.map((row) => [`${row.tenantId} ${row.value}`, row])),
      summed(entries, window, (entry) => `${entry.tenantId} ${keyOf(entry)}`),
    );
  }
  const since = await useSince(db.client, window.from);
  for (const [tenantId, use] of summed(entries, window, (entry) => entry.tenantId))
    expect(since.get(tenantId) ?? 0).toBeCloseTo(use.petaflopSeconds, 6);
  const some = [...new Set(entries.map(({ tenantId }) => tenantId))].slice(0, 2);
  const hours = await readUseByHour(db.client, some, window.from);
  const ofSome = entries.filter(({ tenantId }) => some.includes(tenantId));
  for (const [hour, use] of summed(ofSome, window, hourOf))
    expect(hours.find(({ start }) => start.getTime() === hour)?.petaflopSeconds).toBeCloseTo(use.petaflopSeconds, 6);
  const from = new Date(Math.floor(window.from.getTime() / dayMs) * dayMs);
  const days = await readUseByBucket(db.client, { ...scope, bucket: 'day', dimension: 'all' });
  expectSame(
    new Map(days.map((row) => [row.start.toISOString(), row])),
    summed(entries, { ...window, from }, (entry) =>
      new Date(Math.floor(entry.from.getTime() / dayMs) * dayMs).toISOString(),
    ),
  );
}

const hourOf = ({ from }: Entry) => Math.floor(from.getTime() / hourMs) * hourMs;

function summed<Key>(
  entries: Entry[],
  { from, to }: { from: Date; to: Date },
  keyOf: (entry: Entry) => Key,
): Map<Key, Use> {
  const sums = new Map<Key, Use>();
  for (const entry of entries) {
    const lengthMs = entry.to.getTime() - entry.from.getTime();
    const within = Math.min(entry.to.getTime(), to.getTime()) - Math.max(entry.from.getTime(), from.getTime());
    const isIn = lengthMs === 0 ? entry.from >= from : within > 0;
    if (!isIn) continue;
    const part = lengthMs === 0 ? 1 : within / lengthMs;
    const sum = sums.get(keyOf(entry)) ?? { acceleratorSeconds: 0, petaflopSeconds: 0, microUsd: 0 };
    sums.set(keyOf(entry), {
      acceleratorSeconds: sum.acceleratorSeconds + part * entry.acceleratorSeconds,
      petaflopSeconds: sum.petaflopSeconds + part * entry.petaflopSeconds,
      microUsd: sum.microUsd + part * entry.microUsd,
    });
  }
  return sums;
}

function expectSame(found: Map<string, Use>, expected: Map<string, Use>): void {
  expect([...found.keys()].toSorted()).toEqual([...expected.keys()].toSorted());
  for (const [key, use] of expected)
    for (const field of ['acceleratorSeconds', 'petaflopSeconds', 'microUsd'] as const)
      expect([key, field, found.get(key)?.[field]]).toEqual([key, field, expect.closeTo(use[field], 4)]);
}

test('hour by hour, what is rolled up is not read from the entries', async ({ db }) => {
  const tenantId = await insertTenant(db, 'vision');
  const start = new Date(now.getTime() - 5 * hourMs);
  const amounts = { acceleratorSeconds: 1, petaflopSeconds: 7, microUsd: 0n };
  await db.client.useRollup.create({
    data: { dimension: 'all', grain: 'hour', start, tenantId, value: '', ...amounts },
  });
  const hours = await readUseByHour(db.client, [tenantId], new Date(now.getTime() - dayMs));
  expect(hours).toEqual([{ start, petaflopSeconds: 7 }]);
});

test('past use decays from roll-ups as from the entries, within a fortieth', async ({ db }) => {
  const tenantId = await insertTenant(db, 'vision');
  const hours = Array.from({ length: 240 }, (_, hour) => 7 * hour);
  const entries = hours.map((hour) => {
    const to = new Date(now.getTime() - hour * hourMs);
    return { tenantId, from: new Date(to.getTime() - hourMs / 2), to, petaflopSeconds: 100 };
  });
  const rest = {
    jobId: 'job',
    attempt: 1,
    provider: 'local',
    region: 'here',
    kind: 'cpu',
    acceleratorSeconds: 0,
    microUsd: 0,
  };
  await db.client.usageEntry.createMany({
    data: entries.map((entry) => ({ ...rest, ...entry, instanceId: newId('instance') })),
  });
  for (const halfLifeMs of [hourMs * 24, 7 * dayMs, 30 * dayMs]) {
    const exact = entries.reduce((sum, { to }) => sum + 100 * 0.5 ** ((now.getTime() - to.getTime()) / halfLifeMs), 0);
    expect((await decayedUse(db.client, halfLifeMs, now)).get(tenantId)).toBeCloseTo(exact, 0);
  }
  await createRollup({ db, preemptions: [] })();
  for (const halfLifeMs of [hourMs * 24, 7 * dayMs, 30 * dayMs]) {
    const exact = entries.reduce((sum, { to }) => sum + 100 * 0.5 ** ((now.getTime() - to.getTime()) / halfLifeMs), 0);
    const ratio = ((await decayedUse(db.client, halfLifeMs, now)).get(tenantId) ?? 0) / exact;
    // An entry is aged from its end, a roll-up from its middle.
    expect(Math.abs(ratio - 1)).toBeLessThan(0.025);
  }
});

test('with a short half-life last evening’s use fades from minute to minute, without a step', async ({ db }) => {
  const tenantId = await insertTenant(db, 'vision');
  const morning = new Date(Math.floor(now.getTime() / dayMs) * dayMs + 8 * hourMs);
  const to = new Date(morning.getTime() - 12 * hourMs);
  const what = {
    jobId: 'job',
    attempt: 1,
    provider: 'local',
    region: 'here',
    kind: 'cpu',
    instanceId: newId('instance'),
  };
  const amounts = { acceleratorSeconds: 0, microUsd: 0, petaflopSeconds: 100 };
  await db.client.usageEntry.create({
    data: { tenantId, ...what, from: new Date(to.getTime() - hourMs), to, ...amounts },
  });
  await createRollup({ db, preemptions: [] })();
  const at = async (minutes: number) =>
    (await decayedUse(db.client, 4 * hourMs, new Date(morning.getTime() + minutes * 60_000))).get(tenantId) ?? 0;
  expect((await at(1)) / (await at(-1))).toBeCloseTo(0.5 ** (2 / 240), 3);
});

test('what an attempt wasted is known by its cause once it has ended', async ({ db }) => {
  const tenantId = await insertTenant(db, 'vision');
  const { attemptId, jobId, instanceIds } = await insertRunning(db, tenantId, epoch);
  const use = { tenantId, jobId, attempt: 1, provider: 'local', region: 'here', kind: 'cpu' };
  const hour = {
    from: epoch,
    to: minutesLater(60),
    acceleratorSeconds: 3600,
    petaflopSeconds: 360,
    microUsd: 3_600_000n,
  };
  await db.client.usageEntry.create({ data: { ...use, ...hour, instanceId: instanceIds[0] ?? '' } });
  await db.client.artifact.create({
    data: {
      id: newId('artifact'),
      jobId,
      tenantId,
      attempt: 1,
      node: 0,
      path: 'ckpt',
      kind: 'checkpoint',
      objectKey: 'k',
      sizeBytes: 1,
      sha256: '',
      md5: '',
      createdAt: minutesLater(35),
      verifiedAt: minutesLater(39),
      namedAt: minutesLater(40),
    },
  });
  const ended = {
    state: 'failed' as const,
    reason: 'preemption',
    startedAt: minutesLater(10),
    stoppingAt: minutesLater(55),
    finishedAt: minutesLater(61),
  };
  await db.client.attempt.update({ where: { id: attemptId }, data: ended });
  await createRollup({ db, preemptions: ['preemption'] })();
  const waste = await readWaste(db.client, { from: epoch, to: minutesLater(90), tenantIds: null });
  expect(waste.map(({ value, acceleratorSeconds, microUsd }) => [value, acceleratorSeconds, microUsd])).toEqual([
    ['idle', expect.closeTo(300), 300_000],
    ['preempted', expect.closeTo(900), 900_000],
    ['provisioning', expect.closeTo(600), 600_000],
  ]);
});
