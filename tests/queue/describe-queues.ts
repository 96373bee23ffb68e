import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, type TestAPI } from 'vitest';
import { createQueues, type Queues } from '../../src/queue/queue.ts';
import { waitFor } from '../support/wait.ts';

/** Where the queues of a test live, and what takes all messages away. */
export type Place = { databaseUrl: string; redisUrl: string | undefined; flush: () => Promise<void> };

type Opened = { queues: Queues; errors: unknown[] };

async function open({ databaseUrl, redisUrl }: Place): Promise<Opened & AsyncDisposable> {
  const errors: unknown[] = [];
  const queues = await createQueues({ databaseUrl, redisUrl, onError: (error) => errors.push(error) });
  return { queues, errors, [Symbol.asyncDispose]: () => queues.close() };
}

/** A promise that a test lets go. */
function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** What PostgreSQL and Redis must both do. */
export function describeQueues(test: TestAPI<{ place: Place }>): void {
  test('asking twice for the same row and version while it waits is asking once', async ({ place }) => {
    await using opened = await open(place);
    const { queues } = opened;
    await queues.wake({ step: 'launch', id: 'a', version: 1 });
    await queues.wake({ step: 'launch', id: 'a', version: 1 });
    await queues.wake({ step: 'launch', id: 'b', version: 1 });
    const handled: string[] = [];
    queues.work('launch', 1, async (id) => void handled.push(id));
    await waitFor('both rows', () => handled.includes('b'));
    await queues.wake({ step: 'launch', id: 'end', version: 1 });
    await waitFor('the end', () => handled.includes('end'));
    expect(handled).toEqual(['a', 'b', 'end']);
  });

  test('what was handled can be woken again', async ({ place }) => {
    await using opened = await open(place);
    let count = 0;
    opened.queues.work('settle', 1, async () => void count++);
    for (const round of [1, 2, 3]) {
      await opened.queues.wake({ step: 'settle', id: 'a', version: 1 });
      await waitFor(`round ${round}`, () => count === round);
    }
  });

  test('a wake-up while the row is being handled has it handled once more', async ({ place }) => {
    await using opened = await open(place);
    const { queues } = opened;
    const first = gate();
    let count = 0;
    queues.work('dispatch', 4, async () => {
      count++;
      if (count === 1) await first.opened;
    });
    await queues.wake({ step: 'dispatch', id: 'pool', version: 0 });
    await waitFor('the first', () => count === 1);
    await queues.wake({ step: 'dispatch', id: 'pool', version: 0 });
    await queues.wake({ step: 'dispatch', id: 'pool', version: 0 });
    first.open();
    await waitFor('the second', () => count === 2);
    await queues.wake({ step: 'dispatch', id: 'end', version: 0 });
    await waitFor('the end', () => count === 3);
  });

  test('a handler can ask to be called again later', async ({ place }) => {
    await using opened = await open(place);
    const { queues } = opened;
    const times: number[] = [];
    queues.work('settle', 1, async (id) => {
      times.push(Date.now());
      if (times.length < 3) await queues.wake({ step: 'settle', id, version: 7, delayMs: 200 });
    });
    await queues.wake({ step: 'settle', id: 'a', version: 7 });
    const [first = 0, , third = 0] = await waitFor('three calls', () => times.length === 3 && times);
    expect(third - first).toBeGreaterThanOrEqual(380);
    expect(third - first).toBeLessThan(3_000);
  });

  test('having asked for later does not hide asking for now', async ({ place }) => {
    await using opened = await open(place);
    const { queues } = opened;
    const handled: string[] = [];
    queues.work('settle', 1, async (id) => void handled.push(id));
    await queues.wake({ step: 'settle', id: 'a', version: 0, delayMs: 60_000 });
    await queues.wake({ step: 'settle', id: 'a', version: 0, delayMs: 90_000 });
    await queues.wake({ step: 'settle', id: 'a', version: 0 });
    await waitFor('the call', () => handled.length === 1, 5_000);
    await queues.wake({ step: 'settle', id: 'end', version: 0 });
    await waitFor('the end', () => handled.includes('end'));
    expect(handled).toEqual(['a', 'end']);
  });

  test('asking for now while it is being handled is not hidden by a handler that asks for later', async ({ place }) => {
    await using opened = await open(place);
    const { queues } = opened;
    const first = gate();
    let count = 0;
    queues.work('settle', 1, async (id) => {
      count++;
      await first.opened;
      await queues.wake({ step: 'settle', id, version: 0, delayMs: 60_000 });
    });
    await queues.wake({ step: 'settle', id: 'a', version: 0 });
    await waitFor('the first', () => count === 1);
    await queues.wake({ step: 'settle', id: 'a', version: 0 });
    first.open();
    await waitFor('the second', () => count === 2, 5_000);
  });

  test('a step that fails is repeated, later each time, and given up in the end', async ({ place }) => {
    await using opened = await open(place);
    const { queues, errors } = opened;
    const times: number[] = [];
    queues.work('launch', 1, async () => {
      times.push(Date.now());
      throw new Error('the cloud is away');
    });
    await queues.wake({ step: 'launch', id: 'a', version: 1 });
    await waitFor('the last attempt', () => errors.length === 4);
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(pauses[0]).toBeGreaterThanOrEqual(240);
    expect(pauses[1]).toBeGreaterThanOrEqual(480);
    expect(pauses[2]).toBeGreaterThanOrEqual(960);
    expect(errors.map(String)).toEqual(Array(4).fill('Error: the cloud is away'));
    await queues.wake({ step: 'launch', id: 'a', version: 1 });
    await waitFor('the same row again', () => times.length === 5);
  });

  test('a step whose worker is killed is taken over within seconds', async ({ place }) => {
    await using opened = await open(place);
    const places = [place.databaseUrl, ...(place.redisUrl === undefined ? [] : [place.redisUrl])];
    const worker = spawn(process.execPath, [join(import.meta.dirname, 'never-ending-worker.ts'), ...places]);
    const started = once(worker.stdout, 'data');
    await opened.queues.wake({ step: 'launch', id: 'a', version: 1 });
    await started;
    worker.kill('SIGKILL');
    const killedAt = performance.now();
    const handled: string[] = [];
    opened.queues.work('launch', 1, async (id) => void handled.push(id));
    await waitFor('the takeover', () => handled.length === 1, 20_000);
    process.stdout.write(`taken over after ${((performance.now() - killedAt) / 1000).toFixed(1)} s\n`);
  });

  test('closing lets what is being handled come to its end', async ({ place }) => {
    const { queues, errors } = await open(place);
    const step = gate();
    const seen: string[] = [];
    queues.work('launch', 1, async () => {
      seen.push('started');
      await step.opened;
      seen.push('ended');
    });
    await queues.wake({ step: 'launch', id: 'a', version: 1 });
    await waitFor('the start', () => seen.length === 1);
    const closed = queues.close().then(() => seen.push('closed'));
    step.open();
    await closed;
    expect(seen).toEqual(['started', 'ended', 'closed']);
    expect(errors).toEqual([]);
  });

  test('losing all messages loses nothing but wake-ups: the next ones are handled', async ({ place }) => {
    await using opened = await open(place);
    const { queues } = opened;
    await queues.wake({ step: 'launch', id: 'lost', version: 1 });
    await place.flush();
    const handled: string[] = [];
    queues.work('launch', 1, async (id) => void handled.push(id));
    await queues.wake({ step: 'launch', id: 'first', version: 1 });
    await waitFor('a wake-up after the loss', () => handled.includes('first'));
    await place.flush();
    await queues.wake({ step: 'launch', id: 'lost', version: 1 });
    await waitFor('the lost one, woken by the sweep', () => handled.includes('lost'));
    expect(handled).toEqual(['first', 'lost']);
  });

  test('from wake-up to handler it takes milliseconds', async ({ place }) => {
    await using opened = await open(place);
    const { queues } = opened;
    const arrived = new Map<string, number>();
    queues.work('dispatch', 1, async (id) => void arrived.set(id, performance.now()));
    const latenciesMs: number[] = [];
    for (let index = 0; index < 50; index++) {
      const asked = performance.now();
      await queues.wake({ step: 'dispatch', id: String(index), version: 1 });
      latenciesMs.push((await waitFor('the handler', () => arrived.get(String(index)))) - asked);
    }
    latenciesMs.sort((a, b) => a - b);
    process.stdout.write(
      `wake-up to handler: p50 ${latenciesMs[25]?.toFixed(1)} ms, p98 ${latenciesMs[48]?.toFixed(1)} ms\n`,
    );
    expect(latenciesMs[25]).toBeLessThan(250);
  });

  test('what waits is counted, by step, now or for later', async ({ place }) => {
    await using opened = await open(place);
    const { queues } = opened;
    await queues.wake({ step: 'launch', id: 'a', version: 1 });
    await queues.wake({ step: 'launch', id: 'b', version: 1, delayMs: 60_000 });
    await queues.wake({ step: 'settle', id: 'a', version: 1 });
    expect(await queues.backlog()).toMatchObject({ dispatch: 0, launch: 2, settle: 1 });
  });

  test('ready says whether the queue answers', async ({ place }) => {
    await using opened = await open(place);
    expect(await opened.queues.isReady()).toBe(true);
  });
}
