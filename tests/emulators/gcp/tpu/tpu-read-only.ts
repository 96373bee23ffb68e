import type { Json } from '../messages.ts';
import { requireProject, type Call, type Handlers, type World } from '../world.ts';
import { invalid, tpuNotFound } from './answers.ts';
import type { LongRunning } from './long-running.ts';
import { runtimeVersions, type SliceCatalogue } from './slice-types.ts';

/** What is only read: locations, what they sell and run, and operations. `locationOf`: the zone of a call, known to be one. */
export function readOnlyTpuHandlers(
  world: World,
  catalogue: SliceCatalogue,
  operations: LongRunning,
  locationOf: (call: Call) => string,
): Handlers {
  const { project } = world;
  const parentOf = (zone: string) => `projects/${project}/locations/${zone}`;
  const location = (zone: string): Json => ({ name: parentOf(zone), locationId: zone });
  const families = {
    acceleratorTypes: (zone: string): Json[] =>
      catalogue.typesIn(zone).map(({ name, generation, topology }) => ({
        name: `${parentOf(zone)}/acceleratorTypes/${name}`,
        type: name,
        acceleratorConfigs: [{ type: generation, topology }],
      })),
    runtimeVersions: (zone: string): Json[] =>
      runtimeVersions.map((version) => ({ name: `${parentOf(zone)}/runtimeVersions/${version}`, version })),
  };
  const found = Object.entries(families).flatMap(([kind, of]): [string, Handlers[string]][] => [
    [`tpu.projects.locations.${kind}.list`, (call) => tpuPage(kind, of(locationOf(call)), call.query)],
    [
      `tpu.projects.locations.${kind}.get`,
      (call) => {
        const zone = locationOf(call);
        const name = `${parentOf(zone)}/${kind}/${call.params[kind.slice(0, -1)]}`;
        const item = of(zone).find((each) => each['name'] === name);
        if (item === undefined) throw tpuNotFound(name);
        return item;
      },
    ],
  ]);
  return {
    ...Object.fromEntries(found),
    'tpu.projects.locations.get': (call) => location(locationOf(call)),
    'tpu.projects.locations.list': ({ params, query }) => {
      requireProject(world, params['project']);
      return tpuPage('locations', catalogue.zones.map(location), query);
    },
    'tpu.projects.locations.operations.get': (call) => operations.get(locationOf(call), call.params['operation'] ?? ''),
    'tpu.projects.locations.operations.list': (call) =>
      tpuPage('operations', operations.list(locationOf(call)), call.query),
  };
}

/** One page, in the order of names, as every `list` of Cloud TPU; a page token is the name that was last. */
export function tpuPage(name: string, items: readonly Json[], query: Record<string, string>): Json {
  const size = Number(query['pageSize'] ?? 100);
  if (!Number.isInteger(size) || size < 0) throw invalid(`The page size ${query['pageSize']} is not allowed.`);
  const after = query['pageToken'] === undefined ? '' : Buffer.from(query['pageToken'], 'base64url').toString();
  const nameOf = (item: Json) => String(item['name']);
  const rest = items.filter((item) => nameOf(item) > after).toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const shown = size === 0 ? rest : rest.slice(0, size);
  const last = shown.at(-1);
  return {
    [name]: shown,
    ...(shown.length < rest.length && last !== undefined
      ? { nextPageToken: Buffer.from(nameOf(last)).toString('base64url') }
      : {}),
  };
}
