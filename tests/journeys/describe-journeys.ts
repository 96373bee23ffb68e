import { createHash } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Artifact, Job } from '../../src/protocol/job.ts';
import type { CurrentOffer } from '../../src/protocol/quote.ts';
import type { Shares } from '../../src/protocol/share.ts';
import { createDatabase } from '../support/database.ts';
import { createInstallation, ended, type Client, type Installation } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';
import { startReceiver } from '../webhooks/receiver.ts';

const small = { cpus: 0.25, memoryGiB: 0.25, diskGiB: 0.25 };

/** A line break in a name, numbers beyond JSON, a NUL and half a letter where databases take none: then it ends as shells do. */
const oddities = String.raw`
require('node:fs').mkdirSync('out');
require('node:fs').writeFileSync('out/two\nlines', 'kept');
console.log('{"weir":{"done":1,"total":2,"unit":"a\\u0000b"}}');
setTimeout(() => console.log('{"weir":{"done":1e999}}\nweir progress ' + '9'.repeat(400)), 500);
setTimeout(() => console.log('{"weir":{"done":2,"total":1e999,"unit":"\\ud83d"}}'), 1000);
setTimeout(() => {
  console.error('x'.repeat(299) + '😀 not found');
  process.exit(127);
}, 1500);`;

/** What a tenant lives through with its jobs, on the queues of the given backend. */
export function describeJourneys(name: string, redisUrl: () => string | undefined): void {
  describe(`journeys with queues on ${name}`, () => {
    let installation: Installation;
    let drop: () => Promise<void>;
    let alice: Client;

    beforeAll(async () => {
      const database = await createDatabase();
      drop = database.drop;
      const redis = redisUrl();
      installation = await createInstallation({
        databaseUrl: database.url,
        ...(redis === undefined ? {} : { redisUrl: redis }),
        config: {
          providers: { local: { cpus: 4, memoryGiB: 4 } },
          webhooks: { allowedAddresses: ['127.0.0.1'] },
        },
      });
      await installation.start();
      alice = await installation.tenant('alice');
    });
    afterAll(async () => {
      await installation.remove();
      await drop();
    });

    test('a webhook is told of the job’s end', async () => {
      const receiver = await startReceiver(() => ({ status: 200 }));
      const webhooks = [{ url: receiver.url, events: ['job.finished' as const] }];
      const { id } = await alice.submit({ name: 'told', command: 'true', resources: small, webhooks });
      const { body, headers } = await waitFor('the webhook to be told', () => receiver.received[0]);
      await receiver.close();
      const { secret } = await alice.get<{ secret: string }>(`/v1/tenants/${alice.tenantId}/webhook-secret`);
      expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toMatchObject({
        type: 'job.finished',
        data: { job: id, state: 'succeeded', reason: 'completed', attempt: 1 },
      });
    });

    test('a job runs to its end, with its log, its artifacts and its bill', async () => {
      const command = 'echo hello; echo oops >&2; mkdir -p out/deep; printf result > out/deep/r.txt';
      const { id } = await alice.submit({ name: 'first', command, outputs: ['out/'], resources: small });
      const job = await alice.until(id, ended);
      expect(job).toMatchObject({
        state: 'succeeded',
        reason: 'completed',
        attempts: [{ number: 1, state: 'succeeded', exitCode: 0 }],
      });
      expect(job.cost.finalUsd).toBeGreaterThan(0);
      expect(job.cost.reservedUsd).toBe(0);

      const lines = await alice.log(id);
      expect(
        lines
          .filter(({ stream }) => stream !== 'weir')
          .map(({ stream, text }) => `${stream} ${text}`)
          .toSorted(),
      ).toEqual(['stderr oops', 'stdout hello']);
      expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, index) => index));

      const { items } = await alice.get<{ items: Artifact[] }>(`/v1/jobs/${id}/artifacts`);
      expect(items).toMatchObject([
        {
          path: 'out/deep/r.txt',
          sizeBytes: 6,
          sha256: createHash('sha256').update('result').digest('hex'),
          attempt: 1,
        },
      ]);
      const redirect = await alice.call('GET', `/v1/jobs/${id}/artifacts/out/deep/r.txt`);
      expect(redirect.status).toBe(302);
      const download = await fetch(redirect.headers.get('location') ?? '');
      expect(await download.text()).toBe('result');
      expect(download.headers.get('content-disposition')).toContain('attachment');

      const events = await alice.get<{ items: { to: string | null }[] }>(`/v1/jobs/${id}/events`);
      expect(events.items.flatMap(({ to }) => to ?? [])).toEqual([
        'queued',
        'provisioning',
        'running',
        'stopping',
        'succeeded',
      ]);
    });

    test('the bill, the statement and the share say the same', async () => {
      const before = await alice.get<Shares>('/v1/shares?window=1h');
      const { id } = await alice.submit({ name: 'billed', command: 'true', resources: small });
      const { cost } = await alice.until(id, ended);
      const after = await alice.get<Shares>('/v1/shares?window=1h');
      expect(after.total.costUsd - before.total.costUsd).toBeCloseTo(cost.finalUsd ?? 0, 6);
      expect(after.total.compute).toBeGreaterThan(before.total.compute);
      const statement = await alice.get<{ items: { job: string | null; kind: string; amountUsd: number }[] }>(
        `/v1/tenants/${alice.tenantId}/statement?limit=1000`,
      );
      const own = statement.items.filter(({ job }) => job === id);
      expect(own.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['reserve', 'charge', 'release']));
    });

    test('a queued job can be cancelled, and a running one is stopped with notice', async () => {
      const trap = `trap 'echo noticed; exit 0' TERM; echo ready; while :; do sleep 0.05; done`;
      const { id } = await alice.submit({ name: 'trapped', command: trap, resources: small });
      await waitFor('the job to be ready', async () => (await alice.log(id)).some(({ text }) => text === 'ready'));
      await alice.post(`/v1/jobs/${id}/cancel`);
      await alice.post(`/v1/jobs/${id}/cancel`);
      expect(await alice.until(id, ended)).toMatchObject({ state: 'cancelled', reason: 'cancelled' });
      expect((await alice.log(id)).map(({ text }) => text)).toContain('noticed');
    });

    test('a job that ignores SIGTERM is cancelled all the same, after its grace', async () => {
      const command = `trap '' TERM; echo ready; while :; do sleep 0.05; done`;
      const { id } = await alice.submit({ name: 'stubborn', command, resources: small });
      await waitFor('the job to be ready', async () => (await alice.log(id)).some(({ text }) => text === 'ready'));
      await alice.post(`/v1/jobs/${id}/cancel`);
      expect(await alice.until(id, ended)).toMatchObject({ state: 'cancelled', attempts: [{ number: 1 }] });
    });

    test('more work than there is capacity waits, and says for what and until when', async () => {
      const blocker = await alice.submit({
        name: 'blocker',
        command: 'sleep 100',
        resources: { ...small, cpus: 4 },
        workload: { expectedDuration: '2m' },
      });
      await alice.until(blocker.id, ['running']);
      const { id } = await alice.submit({ name: 'waits', command: 'true', resources: { ...small, cpus: 4 } });
      const waiting = await waitFor('an explanation', async () => {
        const job = await alice.job(id);
        return job.waiting?.blockers.length ? job.waiting : undefined;
      });
      const { items } = await alice.get<{ items: CurrentOffer[] }>('/v1/offers');
      expect(items.find(({ provider }) => provider === 'local')?.availability).toMatchObject({
        free: { cpus: 0, memoryBytes: 3.75 * 1024 ** 3, accelerators: 0 },
        lastShortageAt: null,
      });
      expect(waiting).toMatchObject({ position: 1, blockers: [{ code: 'capacity' }] });
      expect(waiting.blockers[0]?.unblocks).toContain(blocker.id);
      expect(Date.parse(waiting.eta.p50 ?? '')).toBeGreaterThan(Date.now());
      await alice.post(`/v1/jobs/${blocker.id}/cancel`);
      expect((await alice.until(id, ended)).state).toBe('succeeded');
    });

    test('secrets reach the job and are masked in its log', async () => {
      await alice.call('PUT', `/v1/tenants/${alice.tenantId}/secrets/API_TOKEN`, { value: 'swordfish-1234' });
      const { id } = await alice.submit({
        name: 'secretive',
        command: 'echo "token is $API_TOKEN"',
        secrets: ['API_TOKEN'],
        resources: small,
      });
      expect((await alice.until(id, ended)).state).toBe('succeeded');
      expect((await alice.log(id)).map(({ text }) => text)).toContain('token is ***');
    });

    test('the nodes of a gang find each other', async () => {
      const command = 'echo "$NODE_RANK of $NNODES at $MASTER_ADDR:$MASTER_PORT"; echo "$TF_CONFIG"';
      const { id } = await alice.submit({ name: 'gang', command, resources: { ...small, nodes: 2 } });
      expect((await alice.until(id, ended)).state).toBe('succeeded');
      const lines = await alice.log(id);
      const ranks = lines.filter(({ text }) => /^\d of 2 at 127\.0\.0\.1:\d+$/.test(text));
      expect(ranks.map(({ node, text }) => `${node}:${text[0]}`).toSorted()).toEqual(['0:0', '1:1']);
      expect(new Set(ranks.map(({ text }) => text.split(' at ')[1])).size).toBe(1);
      expect(lines.some(({ text }) => text.includes('"worker"'))).toBe(true);
    });

    test('an uploaded archive becomes the working directory', async () => {
      const upload = await alice.post<{ url: string; uri: string }>('/v1/uploads', { name: 'data.txt' });
      expect((await fetch(upload.url, { method: 'PUT', body: 'some data' })).ok).toBe(true);
      const { id } = await alice.submit({
        name: 'with-input',
        command: 'cat in/data.txt',
        inputs: [{ uri: upload.uri, path: 'in/data.txt' }],
        resources: small,
      });
      expect((await alice.until(id, ended)).state).toBe('succeeded');
      expect((await alice.log(id)).map(({ text }) => text)).toContain('some data');
    });

    test('the job knows nothing of the broker', async () => {
      const { id } = await alice.submit({ name: 'env', command: 'env', env: { MINE: '1' }, resources: small });
      await alice.until(id, ended);
      const names = (await alice.log(id)).map(({ text }) => text.split('=')[0] ?? '');
      expect(names).toContain('MINE');
      expect(
        names.filter((variable) => /DATABASE|REDIS|WEIR_(OPERATOR|SECRET|CONFIG|DATA|PORT)|TOKEN|npm_/i.test(variable)),
      ).toEqual([]);
    });

    test('an upload of other bytes than declared is refused at its PUT, and one without a body needs none', async () => {
      const sha256 = createHash('sha256').update('right').digest('hex');
      const declared = await alice.post<{ url: string; uri: string }>('/v1/uploads', { sha256 });
      const refused = await fetch(declared.url, { method: 'PUT', body: 'wrong' });
      expect(refused.status).toBe(422);
      expect(await refused.json()).toMatchObject({ type: expect.stringMatching(/checksum-mismatch$/) });
      const job = { name: 'a', command: 'true', inputs: [{ uri: declared.uri, path: 'x' }], resources: small };
      expect((await alice.call('POST', '/v1/jobs', job)).status).toBe(400);

      const { status, body } = await alice.call('POST', '/v1/uploads');
      expect([status, body]).toEqual([201, expect.objectContaining({ method: 'PUT' })]);
    });

    test('odd names, numbers and letters of a job do no harm', async () => {
      const { id } = await alice.submit({
        name: 'odd',
        command: 'node odd.cjs',
        files: { 'odd.cjs': oddities },
        outputs: ['out'],
        resources: small,
      });
      expect(await alice.until(id, ended)).toMatchObject({ state: 'failed', reason: 'command-not-found' });
      expect((await alice.job(id)).attempts).toHaveLength(1);
      const { items } = await alice.get<{ items: Artifact[] }>(`/v1/jobs/${id}/artifacts`);
      expect(items.map(({ path }) => path)).toEqual(['out/two\nlines']);
      const redirect = await alice.call('GET', `/v1/jobs/${id}/artifacts/${encodeURIComponent('out/two\nlines')}`);
      const download = await fetch(redirect.headers.get('location') ?? '');
      expect(await download.text()).toBe('kept');
    });

    const faults: [string, Partial<Parameters<Client['submit']>[0]>, Job['reason'], RegExp][] = [
      ['a command that fails', { command: 'exit 3' }, 'exit-code', /3/],
      ['a command that does not exist', { command: ['no-such-program'] }, 'command-not-found', /no-such-program/],
      ['a shell command that does not exist', { command: 'no-such-program' }, 'command-not-found', /no-such-program/],
      ['a setup that fails', { setup: 'exit 1' }, 'setup-failed', /setup/],
      [
        'an input that is not there',
        { inputs: [{ uri: 'http://127.0.0.1:9/none', path: 'x' }] },
        'input-unavailable',
        /127\.0\.0\.1:9/,
      ],
      ['a job that forks away', { command: 'setsid sleep 300 & exit 0' }, 'processes-left-behind', /wait/],
      [
        'a job over its maxDuration that ignores SIGTERM',
        { command: `trap '' TERM; while :; do sleep 0.1; done`, maxDuration: '1s' },
        'max-duration',
        /1s|1 s/,
      ],
      [
        'a job that fills memory',
        { command: `node -e 'const a = []; for (;;) a.push(Buffer.alloc(16e6, 1))'` },
        'out-of-memory',
        /memory/i,
      ],
      [
        'a job that fills its disk',
        { command: 'head -c 400000000 /dev/zero > big; sleep 60' },
        'disk-full',
        /of its 256 MiB of disk.*resources\.diskGiB/,
      ],
      ['a line of 100 MB', { command: `head -c 100000000 /dev/zero | tr '\\0' x` }, 'log-line-too-long', /line/],
    ];
    test.each(faults)('%s fails with a reason, and the service stays well', async (_name, spec, reason, message) => {
      const { id } = await alice.submit({ name: 'faulty', command: 'true', resources: small, ...spec });
      const job = await alice.until(id, ended);
      // None is tried again: it would end the same way.
      expect(job).toMatchObject({ state: 'failed', reason, attempts: [{ number: 1 }] });
      expect(job.attempts).toHaveLength(1);
      expect(job.message).toMatch(message);
      expect((await fetch(`${installation.url}/readyz`)).status).toBe(200);
    });
  });
}
