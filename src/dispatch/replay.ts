import { invalid, WeirError, type Fault } from '../core/errors.ts';
import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import {
  maxRecordedJobs,
  maxRecordedOptions,
  type NewSimulation,
  type Simulation,
  type SimulationOutcome,
} from '../protocol/simulation.ts';
import type { Policy } from '../protocol/tenant.ts';
import { findCycle, kinshipFaultsIn, kinshipOf, policyFaults } from '../tenants/policy-faults.ts';
import { currentPolicies, currentPoolPolicy } from '../tenants/policies.ts';
import { petaflopsOf, type Capacities } from './capacity.ts';
import { recordedRun, replayed } from './history.ts';
import { findUnknownTenants, measureHistory, readHistory, type RecordedJob } from './history-store.ts';
import type { Scenario } from './simulate-jobs.ts';
import { measureOf, outcomeOf } from './simulate-outcome.ts';
import { givenCapacities, givenFaults, givenJobs } from './simulate-request.ts';
import type { SimulateApart } from './simulate-thread.ts';

export type ReplayDeps = {
  db: Database;
  now: Clock;
  /** Of each provider that is connected. */
  capacities: () => Promise<Capacities>;
  providerNames: readonly string[];
  petaflopsPerAccelerator: (kind: string) => number;
  simulate: SimulateApart;
};

export type Replay = (request: NewSimulation) => Promise<Simulation>;

/**
 * Replays recorded or given jobs under the policies and capacities there are, as far as the request has no others.
 * @throws WeirError `invalid` with every fault, `too-large`, `unavailable`
 */
export function createReplay(deps: ReplayDeps): Replay {
  return async (request) => {
    const capacities = request.capacity === undefined ? await deps.capacities() : givenCapacities(request.capacity);
    const known = await currentPolicies(deps.db.client);
    const faults = [
      ...givenFaults(request, capacities),
      ...(await referenceFaults(request, known, deps)),
      ...guaranteeFaults(request, known, capacities),
    ];
    if (faults.length > 0) throw new WeirError('invalid', 'The simulation has faults.', { faults });

    const history = request.period === undefined ? undefined : await requireHistory(request.period, deps);
    const scenario = await scenarioOf(request, { history, capacities, deps });
    const isNow = [request.policies, request.pool, request.capacity].every((given) => given === undefined);
    const { outcome, elapsedSeconds } = await deps.simulate(scenario);
    const recorded = history === undefined ? null : await recordedOutcome(history, deps);
    const baseline = request.baseline === true ? (isNow ? outcome : await baselineOf(request, history, deps)) : null;
    return { jobs: scenario.jobs.length, recorded, baseline, simulated: outcome, elapsedSeconds };
  };
}

type Scene = { history: RecordedJob[] | undefined; capacities: Capacities; deps: ReplayDeps };

async function scenarioOf(request: NewSimulation, { history, capacities, deps }: Scene): Promise<Scenario> {
  const { db, petaflopsPerAccelerator } = deps;
  const around = { capacities, petaflopsPerAccelerator, now: deps.now() };
  const policies = new Map([...(await currentPolicies(db.client)), ...Object.entries(request.policies ?? {})]);
  return {
    jobs:
      history?.map((job) => replayed(job, around)) ??
      givenJobs(request.jobs ?? [], { capacities, policies, petaflopsPerAccelerator }),
    capacities,
    policies,
    poolPolicy: request.pool ?? (await currentPoolPolicy(db.client)),
    poolPetaflops: petaflopsOf(capacities, petaflopsPerAccelerator),
  };
}

/** The same jobs under what there is now: of a policy's change the other half of the comparison, free of what a replay leaves out. */
async function baselineOf(
  { policies: _policies, pool: _pool, capacity: _capacity, ...request }: NewSimulation,
  history: RecordedJob[] | undefined,
  deps: ReplayDeps,
): Promise<SimulationOutcome> {
  const scenario = await scenarioOf(request, { history, capacities: await deps.capacities(), deps });
  return (await deps.simulate(scenario)).outcome;
}

async function requireHistory(
  { from, to }: NonNullable<NewSimulation['period']>,
  { db }: ReplayDeps,
): Promise<RecordedJob[]> {
  const period = { from: new Date(from), to: new Date(to) };
  const { jobs, options } = await measureHistory(db.client, period, maxRecordedJobs + 1);
  if (jobs === 0) throw invalid('/period', `No job was queued between ${from} and ${to}.`);
  if (jobs > maxRecordedJobs)
    throw invalid('/period', `More than ${maxRecordedJobs} jobs were queued in this period; choose a shorter one.`);
  if (options > maxRecordedOptions)
    throw invalid(
      '/period',
      `The ${jobs} jobs of this period could run in ${options} ways together, of which at most ${maxRecordedOptions} are replayed; choose a shorter one.`,
    );
  return readHistory(db.client, period);
}

/** Under what there was: the policies and capacities of now stand in for those of then. */
async function recordedOutcome(history: RecordedJob[], deps: ReplayDeps): Promise<SimulationOutcome> {
  const capacities = await deps.capacities();
  const policies = await currentPolicies(deps.db.client);
  const around = { capacities, petaflopsPerAccelerator: deps.petaflopsPerAccelerator, now: deps.now() };
  return outcomeOf(
    history.map((job) => recordedRun(job, around)),
    measureOf({ policies, capacities, poolPetaflops: petaflopsOf(capacities, deps.petaflopsPerAccelerator) }),
  );
}

/** Tenants that there are not, and policies that contradict themselves or each other. */
async function referenceFaults(
  { jobs = [], policies = {} }: NewSimulation,
  known: ReadonlyMap<string, Policy>,
  { db, providerNames }: ReplayDeps,
): Promise<Fault[]> {
  const named = [
    ...jobs.map(({ tenant }, index) => ({ id: tenant, pointer: `/jobs/${index}/tenant` })),
    ...Object.entries(policies).flatMap(([id, { parent }]) => [
      { id, pointer: `/policies/${id}` },
      ...(parent === undefined ? [] : [{ id: parent, pointer: `/policies/${id}/parent` }]),
    ]),
  ];
  const unknown = await findUnknownTenants(db.client, [...new Set(named.map(({ id }) => id))]);
  const kinship = kinshipOf(new Map([...known, ...Object.entries(policies)]));
  return [
    ...named
      .filter(({ id }) => unknown.has(id))
      .map(({ id, pointer }) => ({ pointer, detail: `There is no tenant ${id}.` })),
    ...Object.entries(policies).flatMap(([id, policy]) =>
      [...policyFaults(policy, providerNames), ...kinshipFaultsIn(kinship, id, policy)].map(({ pointer, detail }) => ({
        pointer: `/policies/${id}${pointer}`,
        detail,
      })),
    ),
    ...cycleFaults(policies, known),
  ];
}

function cycleFaults(given: Record<string, Policy>, known: ReadonlyMap<string, Policy>): Fault[] {
  const all = new Map([...known, ...Object.entries(given)]);
  const parents = new Map(
    [...all].flatMap(([id, { parent }]) => (parent === undefined ? [] : [[id, parent] as const])),
  );
  return Object.entries(given).flatMap(([id, { parent }]) =>
    findCycle(id, parent, parents) === undefined
      ? []
      : [{ pointer: `/policies/${id}/parent`, detail: `${parent} stands under ${id}, so it can’t be its parent.` }],
  );
}

/**
 * Guarantees that the capacities can't hold together: nobody could be given them, whatever the round decides. Looked at where the request
 * has policies or capacities of its own. What stands under a tenant with a guarantee of the kind is a part of that.
 */
function guaranteeFaults(
  { policies = {}, capacity }: NewSimulation,
  known: ReadonlyMap<string, Policy>,
  capacities: Capacities,
): Fault[] {
  const all = new Map([...known, ...Object.entries(policies)]);
  const kinds = new Set([...all.values()].flatMap(({ guaranteed = {} }) => Object.keys(guaranteed)));
  return [...kinds].flatMap((kind) => {
    const holders = [...all].filter(([id, { guaranteed }]) => (guaranteed?.[kind] ?? 0) > 0 && !isPart(id, kind, all));
    const promised = holders.reduce((sum, [, { guaranteed }]) => sum + (guaranteed?.[kind] ?? 0), 0);
    const most = countOf(kind, capacities);
    if (promised <= most) return [];
    const given = holders.find(([id]) => policies[id] !== undefined)?.[0];
    if (given === undefined && capacity === undefined) return [];
    const pointer = given === undefined ? '/capacity' : `/policies/${given}/guaranteed/${kind}`;
    const detail = `${promised} ${kind} are guaranteed in all, and there are ${most}: guarantee less, or give more capacity.`;
    return [{ pointer, detail }];
  });
}

/** Whether a tenant above has a guarantee of the kind, which this one's is a part of. */
function isPart(id: string, kind: string, all: ReadonlyMap<string, Policy>): boolean {
  const seen = new Set([id]);
  for (let above = all.get(id)?.parent; above !== undefined && !seen.has(above); above = all.get(above)?.parent) {
    if ((all.get(above)?.guaranteed?.[kind] ?? 0) > 0) return true;
    seen.add(above);
  }
  return false;
}

function countOf(kind: string, capacities: Capacities): number {
  return [...capacities.values()].reduce((sum, capacity) => {
    if (capacity === undefined) return Infinity;
    const { cpus, gpus } = capacity;
    return sum + (kind === 'cpu' ? cpus : gpus.kind === kind ? gpus.count : 0);
  }, 0);
}
