import type { Json } from './messages.ts';
import { ApiError, notFound } from './errors.ts';
import { idOf, lastOf, link } from './links.ts';
import { aggregatedPage, page } from './lists.ts';
import { requireProject, type Call, type Handlers, type World } from './world.ts';

/** What is only read: the project, its zones and regions, what they sell, and operations. */
export function readOnlyHandlers(world: World): Handlers {
  return { ...placeHandlers(world), ...typeHandlers(world), ...operationHandlers(world), ...imageHandlers() };
}

function placeHandlers(world: World): Handlers {
  const { project, projectNumber, catalogue, quotas } = world;
  const region = (name: string) => catalogue.region(name, quotas.regional(name));
  return inProject(world, {
    'compute.projects.get': () => ({
      kind: 'compute#project',
      id: projectNumber,
      name: project,
      quotas: quotas.global(),
      defaultServiceAccount: `${projectNumber}-compute@developer.gserviceaccount.com`,
      selfLink: link(`projects/${project}`),
    }),
    'compute.zones.get': ({ params }) => catalogue.zone(params['zone'] ?? ''),
    'compute.zones.list': ({ query }) => ({
      kind: 'compute#zoneList',
      id: `projects/${project}/zones`,
      ...page(
        catalogue.zones.map((name) => catalogue.zone(name)),
        query,
      ),
    }),
    'compute.regions.get': ({ params }) => region(params['region'] ?? ''),
    'compute.regions.list': ({ query }) => ({
      kind: 'compute#regionList',
      id: `projects/${project}/regions`,
      ...page(catalogue.regions.map(region), query),
    }),
  });
}

function typeHandlers(world: World): Handlers {
  const { project, catalogue } = world;
  const scopes = catalogue.zones.map((zone) => `zones/${zone}`);
  const families = {
    machineTypes: {
      kind: 'compute#machineType',
      param: 'machineType',
      of: (zone: string) => catalogue.machineTypesIn(zone).map((type) => catalogue.machineTypeResource(zone, type)),
    },
    acceleratorTypes: {
      kind: 'compute#acceleratorType',
      param: 'acceleratorType',
      of: (zone: string) =>
        catalogue.acceleratorTypesIn(zone).map((type) => catalogue.acceleratorTypeResource(zone, type)),
    },
  };
  const handlers = Object.entries(families).flatMap(([name, { kind, param, of }]): [string, Handlers[string]][] => [
    [
      `compute.${name}.get`,
      ({ params }) => {
        const zone = params['zone'] ?? '';
        const wanted = params[param] ?? '';
        const found = of(zone).find((item) => item['name'] === wanted);
        if (found === undefined) throw notFound(`projects/${project}/zones/${zone}/${name}/${wanted}`);
        return found;
      },
    ],
    [
      `compute.${name}.list`,
      ({ params, query }) => ({
        kind: `${kind}List`,
        id: `projects/${project}/zones/${params['zone']}/${name}`,
        ...page(of(params['zone'] ?? ''), query),
      }),
    ],
    [
      `compute.${name}.aggregatedList`,
      ({ query }) => ({
        kind: `${kind}AggregatedList`,
        id: `projects/${project}/aggregated/${name}`,
        ...aggregatedPage(name, scopes, (scope) => of(lastOf(scope)), query),
      }),
    ],
  ]);
  return inProject(world, Object.fromEntries(handlers));
}

function operationHandlers(world: World): Handlers {
  const { project, operations, timing } = world;
  const families: Record<string, (params: Record<string, string>) => string> = {
    zoneOperations: ({ zone }) => `zones/${zone}`,
    regionOperations: ({ region }) => `regions/${region}`,
    globalOperations: () => 'global',
  };
  const handlers = Object.entries(families).flatMap(([name, scopeOf]): [string, Handlers[string]][] => [
    [`compute.${name}.get`, ({ params }) => operations.get(scopeOf(params), params['operation'] ?? '')],
    [
      `compute.${name}.wait`,
      ({ params }) => operations.wait(scopeOf(params), params['operation'] ?? '', timing.waitMs),
    ],
    [
      `compute.${name}.list`,
      ({ params, query }) => ({
        kind: 'compute#operationList',
        id: `projects/${project}/${scopeOf(params)}/operations`,
        ...page(operations.list(scopeOf(params)), query),
      }),
    ],
  ]);
  return inProject(world, Object.fromEntries(handlers));
}

/** Public images: of whichever project is asked. */
function imageHandlers(): Handlers {
  const image = (project: string, name: string, family: string): Json => ({
    kind: 'compute#image',
    id: idOf(`${project}/${name}`),
    name,
    family,
    status: 'READY',
    sourceType: 'RAW',
    diskSizeGb: '50',
    architecture: 'X86_64',
    selfLink: link(`projects/${project}/global/images/${name}`),
  });
  return {
    'compute.images.get': ({ params }) => image(params['project'] ?? '', params['image'] ?? '', ''),
    'compute.images.getFromFamily': ({ params }) => {
      const family = params['family'] ?? '';
      if (family === '') throw new ApiError(400, 'invalid', 'family is required');
      return image(params['project'] ?? '', `${family}-v20261101`, family);
    },
  };
}

function inProject(world: World, handlers: Handlers): Handlers {
  return Object.fromEntries(
    Object.entries(handlers).map(([id, handle]) => [
      id,
      (call: Call) => {
        requireProject(world, call.params['project']);
        return handle(call);
      },
    ]),
  );
}
