import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { parse as parseYaml } from 'yaml';
import { invalid, WeirError } from '../../src/core/errors.ts';
import { petaflopsOf } from '../../src/dispatch/capacity.ts';
import type { Scenario } from '../../src/dispatch/simulate-jobs.ts';
import { givenCapacities, givenFaults, givenJobs } from '../../src/dispatch/simulate-request.ts';
import { parseSwf } from '../../src/dispatch/simulate-swf.ts';
import { traceScenario, type DurationSource } from '../../src/dispatch/simulate-trace.ts';
import { NewSimulation } from '../../src/protocol/simulation.ts';
import { Policy } from '../../src/protocol/tenant.ts';
import { computePetaflopsPerAccelerator } from '../../src/quotes/catalogue.ts';

export type ReadOptions = {
  tenants: 'user' | 'group';
  durations?: DurationSource | undefined;
  processors?: number | undefined;
  load?: number | undefined;
  halfLife?: string | undefined;
  policies?: string | undefined;
};

/** @throws WeirError `invalid` naming what in the file is wrong. */
export async function readScenario(path: string, options: ReadOptions): Promise<Scenario> {
  const given = options.policies === undefined ? [] : await readPolicies(options.policies);
  const scenario = /\.swf(\.gz)?$/.test(path) ? await readTrace(path, options) : await readJobs(path, given);
  return {
    ...scenario,
    policies: new Map([...scenario.policies, ...given]),
    poolPolicy: { ...scenario.poolPolicy, ...(options.halfLife === undefined ? {} : { halfLife: options.halfLife }) },
  };
}

async function readTrace(path: string, { tenants, durations, processors, load }: ReadOptions): Promise<Scenario> {
  const bytes = await readFile(path);
  const trace = parseSwf((path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString());
  const size = processors ?? trace.maxProcessors;
  if (size === undefined)
    throw invalid('--processors', 'The trace does not say how many processors there were: set --processors.');
  if (trace.jobs.length === 0) throw invalid('', 'The trace has no job that ran.');
  const isDeclared = trace.jobs.every(({ requestedSeconds }) => requestedSeconds !== undefined);
  const source = durations ?? (isDeclared ? 'declared' : 'predicted');
  if (source === 'declared' && trace.jobs.every(({ requestedSeconds }) => requestedSeconds === undefined))
    throw invalid('--durations', 'The trace has no declared durations: choose predicted or perfect.');
  return traceScenario(trace, {
    tenants,
    durations: source,
    processors: size,
    ...(load === undefined ? {} : { load }),
  });
}

async function readJobs(path: string, given: [string, Policy][]): Promise<Scenario> {
  const request = await readAs(path, NewSimulation);
  if (request.jobs === undefined)
    throw invalid('/jobs', 'A file holds jobs; a recorded period is for POST /v1/simulations.');
  if (request.capacity === undefined) throw invalid('/capacity', 'Say what capacity there is.');
  const capacities = givenCapacities(request.capacity);
  const faults = givenFaults(request, capacities);
  if (faults.length > 0) throw new WeirError('invalid', `${path} has faults:`, { faults });
  const policies = new Map([...Object.entries(request.policies ?? {}), ...given]);
  return {
    jobs: givenJobs(request.jobs, {
      capacities,
      policies,
      petaflopsPerAccelerator: computePetaflopsPerAccelerator,
    }),
    capacities,
    policies,
    poolPolicy: request.pool ?? {},
    poolPetaflops: petaflopsOf(capacities, computePetaflopsPerAccelerator),
  };
}

async function readPolicies(path: string): Promise<[string, Policy][]> {
  const content = await parseFile(path);
  if (typeof content !== 'object' || content === null) throw invalid('', `${path} holds no policies by tenant.`);
  return Object.entries(content).map(([tenant, policy]) => [tenant, checked(Policy, policy, `/${tenant}`)]);
}

const readAs = async (path: string, schema: typeof NewSimulation) => checked(schema, await parseFile(path), '');

async function parseFile(path: string): Promise<unknown> {
  try {
    // JSON is YAML, too.
    return parseYaml(await readFile(path, 'utf8'));
  } catch (error) {
    throw invalid(
      '',
      `${path} can’t be read as YAML or JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function checked<Schema extends TSchema>(schema: Schema, content: unknown, at: string): Static<Schema> {
  const faults = Value.Errors(schema, content).map(({ instancePath, message }) => ({
    pointer: `${at}${instancePath}`,
    detail: message === 'schema is false' ? 'There is no such field.' : message,
  }));
  if (faults.length > 0) throw new WeirError('invalid', 'The file has faults:', { faults });
  return content as Static<Schema>;
}
