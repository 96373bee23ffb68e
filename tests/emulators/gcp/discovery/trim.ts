import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Keeps of Google's discovery documents what the emulator speaks, without the prose:
 * `node tests/emulators/gcp/discovery/trim.ts <folder with compute.v1.json and tpu.v2.json>`.
 * The documents travel with the Python package google-api-python-client, under `googleapiclient/discovery_cache/documents`.
 */
const methods = {
  'compute.v1': {
    acceleratorTypes: ['aggregatedList', 'get', 'list'],
    disks: ['aggregatedList', 'delete', 'get', 'list'],
    globalOperations: ['get', 'list', 'wait'],
    images: ['get', 'getFromFamily'],
    instances: ['aggregatedList', 'delete', 'get', 'getSerialPortOutput', 'insert', 'list', 'stop'],
    machineTypes: ['aggregatedList', 'get', 'list'],
    projects: ['get'],
    regionOperations: ['get', 'list', 'wait'],
    regions: ['get', 'list'],
    zoneOperations: ['get', 'list', 'wait'],
    zones: ['get', 'list'],
  },
  'tpu.v2': {
    'projects.locations': ['get', 'list'],
    'projects.locations.acceleratorTypes': ['get', 'list'],
    'projects.locations.nodes': ['delete', 'get', 'list'],
    'projects.locations.operations': ['get', 'list'],
    'projects.locations.queuedResources': ['create', 'delete', 'get', 'list'],
    'projects.locations.runtimeVersions': ['get', 'list'],
  },
} as const;

type Json = { [key: string]: unknown };
type Resource = { methods?: Record<string, Json>; resources?: Record<string, Resource> };
type Document = Resource & { revision: string; servicePath: string; schemas: Record<string, Json>; parameters: Json };

const prose = new Set(['description', 'enumDescriptions', 'enumDeprecated', 'documentationLink', 'annotations']);

for (const [name, resources] of Object.entries(methods)) {
  const document = JSON.parse(readFileSync(join(process.argv[2] ?? '', `${name}.json`), 'utf8')) as Document;
  const kept = Object.entries(resources).flatMap(([path, verbs]) =>
    verbs.map((verb: string) => resourceAt(document, path).methods?.[verb] ?? missing(`${path}.${verb}`)),
  );
  const schemas = new Set<string>();
  for (const { request, response } of kept) collect([request, response], document, schemas);
  const trimmed = {
    revision: document.revision,
    servicePath: document.servicePath,
    parameters: document.parameters,
    methods: kept,
    schemas: Object.fromEntries([...schemas].sort().map((each) => [each, document.schemas[each]])),
  };
  writeFileSync(join(import.meta.dirname, `${name}.json`), `${JSON.stringify(withoutProse(trimmed))}\n`);
}

function resourceAt(document: Resource, path: string): Resource {
  return path.split('.').reduce((resource, name) => resource.resources?.[name] ?? missing(path), document);
}

function collect(part: unknown, document: Document, into: Set<string>): void {
  if (typeof part !== 'object' || part === null) return;
  for (const [key, value] of Object.entries(part)) {
    if (key !== '$ref' || typeof value !== 'string') collect(value, document, into);
    else if (!into.has(value)) {
      into.add(value);
      collect(document.schemas[value], document, into);
    }
  }
}

/** A property may be called `description`: only strings are prose. */
function withoutProse(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(withoutProse);
  if (typeof part !== 'object' || part === null) return part;
  return Object.fromEntries(
    Object.entries(part)
      .filter(
        ([key, value]) =>
          !prose.has(key) || (typeof value === 'object' && !Array.isArray(value) && key === 'description'),
      )
      .map(([key, value]) => [key, withoutProse(value)]),
  );
}

function missing(what: string): never {
  throw new Error(`The discovery document has no ${what}.`);
}
