import { WeirError } from '../../core/errors.ts';
import { answerOf } from './answers.ts';
import { callOptions, persist } from './call.ts';
import type { Clients } from './clients.ts';
import { judge } from './faults.ts';
import { buysTpus, isConfigured, regionOf, type GcpSettings } from './settings.ts';
import { parentOf } from './slice-body.ts';

/** What each zone has, by its name: machine types, and what may be attached to N1. */
export type Places = ReadonlyMap<
  string,
  { machineTypes: ReadonlySet<string>; acceleratorTypes: ReadonlySet<string>; slices: ReadonlySet<string> }
>;

/** Google takes filters of some thousand characters: so many names are asked for in one go. */
const mostInFilter = 60;

/**
 * The zones that machines may be made in, with those of these machine types that they have. Of a zone that Google does not reach now, what
 * was known `before` holds on; `isWhole` is false then, and while a zone is down.
 * @throws WeirError `invalid` where a region or zone of the configuration does not exist, or an operator has to change something
 * else; `unavailable` where Google does not answer.
 */
export async function readPlaces(
  settings: GcpSettings,
  clients: Clients,
  machineTypes: string[],
  before: Places,
): Promise<{ places: Places; isWhole: boolean }> {
  const project = settings.projectId;
  const { up, down } = await readZones(settings, clients);
  const places = new Map(
    up.map((zone) => [
      zone,
      { machineTypes: new Set<string>(), acceleratorTypes: new Set<string>(), slices: new Set<string>() },
    ]),
  );
  const unreached = new Set<string>();
  const placeIn = (scope: string, { warning }: Page) => {
    const zone = zoneOf(scope);
    if (warning?.code === 'UNREACHABLE' && places.has(zone)) unreached.add(zone);
    return places.get(zone);
  };
  for (let first = 0; first < machineTypes.length; first += mostInFilter) {
    const names = machineTypes.slice(first, first + mostInFilter);
    const filter = names.map((name) => `(name = "${name}")`).join(' OR ');
    await persist(async () => {
      const listed = clients.machineTypes.aggregatedListAsync({ project, filter, maxResults: 500 }, callOptions);
      for await (const [scope, page] of listed) {
        const place = placeIn(scope, page);
        for (const { name } of page.machineTypes ?? []) place?.machineTypes.add(name ?? '');
      }
    });
  }
  if (machineTypes.length > 0)
    await persist(async () => {
      const listed = clients.acceleratorTypes.aggregatedListAsync({ project, maxResults: 500 }, callOptions);
      for await (const [scope, page] of listed) {
        const place = placeIn(scope, page);
        for (const { name } of page.acceleratorTypes ?? []) place?.acceleratorTypes.add(name ?? '');
      }
    });
  if (buysTpus(settings))
    for (const [zone, { slices }] of places) await readSlices(settings, clients, { zone, slices });
  const kept = [...places].map(([zone, read]) => [zone, (unreached.has(zone) && before.get(zone)) || read] as const);
  return { places: new Map(kept), isWhole: unreached.size === 0 && down.length === 0 };
}

type Page = { warning?: { code?: string | null } | null };

/** A zone that has no TPUs, or none for this project, says that there is no such location. */
async function readSlices(
  settings: GcpSettings,
  clients: Clients,
  { zone, slices }: { zone: string; slices: Set<string> },
): Promise<void> {
  const tpu = await clients.tpu();
  try {
    await persist(async () => {
      const listed = tpu.listAcceleratorTypesAsync({ parent: parentOf(settings, zone), pageSize: 500 }, callOptions);
      for await (const { type } of listed) slices.add(type ?? '');
    });
  } catch (error) {
    const fault = judge(answerOf(error));
    if (fault.is !== 'gone' && !(fault.is === 'refused' && fault.because === 'zone')) throw error;
  }
}

async function readZones(settings: GcpSettings, clients: Clients): Promise<{ up: string[]; down: string[] }> {
  const { projectId: project, regions, zones } = settings;
  const found = new Map<string, string>();
  await persist(async () => {
    for await (const { name, status } of clients.zones.listAsync({ project, maxResults: 500 }, callOptions))
      found.set(name ?? '', status ?? '');
  });
  const known = new Set([...found.keys()].map(regionOf));
  const faults = [
    ...regions.flatMap((region, index) =>
      known.has(region) ? [] : [`providers.gcp.regions.${index} is ${region}, and Google Cloud has no such region`],
    ),
    ...(zones ?? []).flatMap((zone, index) =>
      found.has(zone) ? [] : [`providers.gcp.zones.${index} is ${zone}, and Google Cloud has no such zone`],
    ),
  ];
  if (faults.length > 0) throw new NoSuchPlace(faults);
  const configured = [...found.keys()].filter((zone) => isConfigured(zone, settings));
  const isDown = (zone: string) => found.get(zone) === 'DOWN';
  return { up: configured.filter((zone) => !isDown(zone)), down: configured.filter(isDown) };
}

/** The configuration names what Google does not have. */
export class NoSuchPlace extends WeirError {
  readonly names: string[];
  constructor(names: string[]) {
    super('invalid', `${names.join('; ')}.`);
    this.names = names;
  }
}

const zoneOf = (scope: string): string => scope.replace(/^zones\//, '');
