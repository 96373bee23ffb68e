import { expect, test } from 'vitest';
import type { Clients } from '../../../src/providers/gcp/clients.ts';
import { readPlaces, type Places } from '../../../src/providers/gcp/places.ts';
import { settings } from './requests.ts';

/** What the lists of Compute Engine answer. */
function clientsOf(zones: Record<string, 'UP' | 'DOWN'>, lost: string[] = []): Clients {
  async function* listZones() {
    for (const [name, status] of Object.entries(zones)) yield { name, status };
  }
  async function* listTypes() {
    for (const zone of Object.keys(zones))
      if (lost.includes(zone)) yield [`zones/${zone}`, { warning: { code: 'UNREACHABLE' } }];
      else yield [`zones/${zone}`, { machineTypes: [{ name: 'g2-standard-4' }], acceleratorTypes: [] }];
  }
  const lists = { listAsync: listZones, aggregatedListAsync: listTypes };
  return { zones: lists, machineTypes: lists, acceleratorTypes: lists } as unknown as Clients;
}

const [a, b] = ['us-central1-a', 'us-central1-b'] as const;
const soldIn = (places: Places) =>
  [...places].flatMap(([zone, { machineTypes }]) => (machineTypes.size > 0 ? [zone] : []));
const read = (clients: Clients, before: Places = new Map()) => readPlaces(settings, clients, ['g2-standard-4'], before);

test('of a zone that Google does not reach what was known before holds on, and it is asked again soon', async () => {
  const whole = await read(clientsOf({ [a]: 'UP', [b]: 'UP' }));
  expect([soldIn(whole.places), whole.isWhole]).toEqual([[a, b], true]);
  const partial = await read(clientsOf({ [a]: 'UP', [b]: 'UP' }, [b]), whole.places);
  expect([soldIn(partial.places), partial.isWhole]).toEqual([[a, b], false]);
  const first = await read(clientsOf({ [a]: 'UP', [b]: 'UP' }, [b]));
  expect([soldIn(first.places), first.isWhole]).toEqual([[a], false]);
});

test('a zone that is down sells nothing, and is asked again soon', async () => {
  const { places, isWhole } = await read(clientsOf({ [a]: 'UP', [b]: 'DOWN' }));
  expect([soldIn(places), isWhole]).toEqual([[a], false]);
});
