import { expect } from 'vitest';
import { WeirError } from '../../src/core/errors.ts';
import { newId } from '../../src/core/ids.ts';
import { createPilots, type PilotDeps } from '../../src/jobs/pilot.ts';
import { insertJobs } from '../../src/jobs/store.ts';
import { asText, requireQuote } from '../../src/quotes/store.ts';
import { addTenant, startRunning, test, type World } from '../instances/world.ts';
import { sampleQuote } from '../support/app.ts';

const spec = { name: 'train', command: 'python3 train.py' };

function pilotsIn(world: World, quote: PilotDeps['quote']) {
  const { db, now } = world;
  const submit: PilotDeps['submit'] = async (tenantId, body, id) => {
    const held = sampleQuote(newId('quote'));
    const options = held.options.map((option) => ({
      ...option,
      offer: { ...option.offer, provider: 'scripted', zone: 'z' },
    }));
    await insertJobs(db, [{ id, tenantId, spec: body, quote: asText(held), isNewQuote: true, options, at: now() }]);
    return '';
  };
  const onError = (error: unknown) => void world.errors.push(error);
  return createPilots({ db, now, pilotMs: 60_000, submit, quote, onError });
}

/** Pilots that have run, the oldest first; answers their quotes. */
async function runPilots(world: World, tenantId: string, count: number, start: (quoteId: string) => Promise<void>) {
  const quoteIds: string[] = [];
  for (let pilot = 0; pilot < count; pilot += 1) {
    const id = newId('quote');
    await start(id);
    const { jobId } = await world.db.client.pilot.findUniqueOrThrow({ where: { quoteId: id } });
    const { attemptId, tokens, number } = await startRunning(world, jobId);
    world.advance(1);
    await world.end(tokens[0] ?? '', number);
    await world.settle(attemptId);
    quoteIds.push(id);
  }
  world.advance(10);
  return quoteIds;
}

test('a pilot that can’t be quoted from ends as failed, and one that can’t be now keeps no other from it', async ({
  world,
  db,
}) => {
  const tenantId = await addTenant(world);
  const faults: Error[] = [
    new TypeError('a fault of ours'),
    new WeirError('can-never-start', 'Nothing fits it any more.'),
  ];
  const pilots = pilotsIn(world, async (_tenantId, _spec, id) => {
    const fault = faults.shift();
    if (fault !== undefined) throw fault;
    return sampleQuote(id);
  });
  const quoteIds = await runPilots(world, tenantId, 3, (id) => pilots.start(tenantId, spec, sampleQuote(id)));
  const seen = () => Promise.all(quoteIds.map(async (id) => (await requireQuote(db.client, tenantId, id)).quote.pilot));
  await pilots.sweep();
  expect(await seen()).toMatchObject([
    { state: 'running' },
    { state: 'failed', message: 'Nothing was quoted anew. Nothing fits it any more.' },
    { state: 'done' },
  ]);
  expect(world.errors).toMatchObject([{ message: 'a fault of ours' }]);
  await pilots.sweep();
  expect((await seen()).map((pilot) => pilot?.state)).toEqual(['done', 'failed', 'done']);
});
