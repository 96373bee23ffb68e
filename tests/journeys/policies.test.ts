import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobEvent } from '../../src/protocol/job.ts';
import type { Shares } from '../../src/protocol/share.ts';
import { openDatabase, type Database } from '../../src/db/database.ts';
import { createDatabase } from '../support/database.ts';
import { createInstallation, ended, type Client, type Installation } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';
import { startReceiver } from '../webhooks/receiver.ts';
import { small, verdicts, wants, type Rules } from './verdict-cases.ts';

let installation: Installation;
let db: Database;
let drop: () => Promise<void>;
let alice: Client;
let other: Client;

beforeAll(async () => {
  const database = await createDatabase();
  drop = database.drop;
  db = openDatabase(database.url, 2);
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
  await db.close();
  await drop();
});

async function setRules({ own = {}, others = {}, pool = {} }: Rules): Promise<void> {
  const { operator } = installation;
  const puts = [
    operator.call('PUT', `/v1/tenants/${alice.tenantId}/policy`, own),
    operator.call('PUT', `/v1/tenants/${other.tenantId}/policy`, others),
    operator.call('PUT', '/v1/pool/policy', pool),
  ];
  expect((await Promise.all(puts)).map(({ status }) => status)).toEqual([200, 200, 200]);
}

test.each(verdicts)(
  '%s is refused, and accepted after the change that the answer names',
  async (_name, { spec = small, rules = {}, code, says, done }) => {
    await setRules(rules);
    const { status, body } = await alice.call('POST', '/v1/jobs', spec);
    expect({ status, body }).toMatchObject({
      status: 422,
      body: {
        type: expect.stringMatching(/\/can-never-start$/),
        blockers: expect.arrayContaining([expect.objectContaining({ code })]),
        smallestChange: expect.stringMatching(says),
      },
    });

    await setRules(done.rules ?? {});
    const { id, state } = await alice.submit(done.spec ?? small);
    expect(state).toBe('queued');
    await alice.post(`/v1/jobs/${id}/cancel`);
  },
);

test('a verdict takes less than a second', async () => {
  await setRules({ own: { caps: { runningJobs: 0 } } });
  const tookMs: number[] = [];
  for (const cpus of [2, 3, 64]) {
    const startedAt = performance.now();
    expect((await alice.call('POST', '/v1/jobs', wants(cpus))).status).toBe(422);
    tookMs.push(performance.now() - startedAt);
  }
  expect(tookMs.toSorted((a, b) => a - b)[1]).toBeLessThan(1000);
});

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

/** Goes on from its checkpoint where there is one. Else it works, keeps a checkpoint once it is told to, and heeds its notice. */
const keeping = `
const fs = require('node:fs');
if (fs.existsSync('ckpt/n')) {
  console.log('goes on at ' + fs.readFileSync('ckpt/n'));
} else {
  process.on('SIGTERM', () => { console.log('noticed'); process.exit(1); });
  const timer = setInterval(async () => {
    const { status } = await fetch(process.env.TOLD_BY);
    if (status !== 201) return;
    clearInterval(timer);
    fs.mkdirSync('ckpt', { recursive: true });
    fs.writeFileSync('ckpt/n', '42');
    setInterval(() => {}, 1000);
  }, 50);
}`;

const minRuntimeSeconds = 2;

async function runningUntilStopped(client: Client, id: string): Promise<number> {
  const { items } = await client.get<{ items: JobEvent[] }>(`/v1/jobs/${id}/events`);
  const at = (to: string) => Date.parse(items.find((event) => event.to === to)?.at ?? '');
  return (at('stopping') - at('running')) / 1000;
}

test('who loses least makes way for a guarantee after the minimum runtime: noticed, kept, back at its place, its waste counted', async () => {
  await setRules({ others: { guaranteed: { cpu: 2 } }, pool: { minRuntime: `${minRuntimeSeconds}s` } });
  let mayKeep = false;
  const teller = await startReceiver(() => ({ status: mayKeep ? 201 : 204 }));
  const kept = await alice.submit({
    ...small,
    name: 'kept',
    command: ['node', 'keep.cjs'],
    files: { 'keep.cjs': keeping },
    checkpoints: { path: 'ckpt/' },
    env: { TOLD_BY: teller.url },
  });
  await alice.until(kept.id, ['running']);
  const unkept = await alice.submit({ ...small, name: 'unkept', command: 'while :; do sleep 0.05; done' });
  await alice.until(unkept.id, ['running']);
  const behind = await alice.submit({ ...small, name: 'behind' });
  mayKeep = true;
  await waitFor('the checkpoint to be stored', () =>
    db.client.artifact.findFirst({ where: { jobId: kept.id, verifiedAt: { not: null } } }).then((row) => row ?? false),
  );
  await teller.close();

  const owner = await other.submit({ ...small, name: 'owner', command: 'while :; do sleep 0.05; done' });
  await other.until(owner.id, ['running']);
  expect(await runningUntilStopped(alice, kept.id)).toBeGreaterThanOrEqual(minRuntimeSeconds);
  expect((await alice.job(unkept.id)).attempts).toHaveLength(1);
  const { items } = await other.get<{ items: JobEvent[] }>(`/v1/jobs/${owner.id}/events`);
  expect(items.map(({ type }) => type)).toContain('dispatch.claimed');
  // It was submitted before the one that has waited all the while.
  const places = await waitFor('both to know their place', async () => {
    const [first, second] = [await alice.job(kept.id), await alice.job(behind.id)];
    const seen = [first, second].map(({ waiting }) => waiting?.position);
    return first.state === 'queued' && first.waiting?.blockers.length ? seen : undefined;
  });
  expect(places).toEqual([1, 2]);

  await other.post(`/v1/jobs/${owner.id}/cancel`);
  const ran = await alice.until(kept.id, ended);
  expect(ran).toMatchObject({
    state: 'succeeded',
    attempts: [
      { reason: 'preemption', lostSeconds: expect.any(Number) },
      { state: 'succeeded', lostSeconds: 0 },
    ],
  });
  expect(ran.attempts[0]?.lostSeconds).toBeGreaterThan(0);
  const said = (await alice.log(kept.id)).filter(({ stream }) => stream === 'stdout').map(({ text }) => text);
  expect(said).toEqual(['noticed', 'goes on at 42']);
  const { finishedAt } = await alice.until(behind.id, ended);
  expect(Date.parse(finishedAt ?? '')).toBeGreaterThan(Date.parse(ran.startedAt ?? ''));
  const { wasted } = await alice.get<Shares>('/v1/shares?window=1h');
  expect(wasted.preempted.compute).toBeGreaterThan(0);
  await alice.post(`/v1/jobs/${unkept.id}/cancel`);
});
