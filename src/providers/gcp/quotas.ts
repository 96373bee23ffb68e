import type { protos } from '@google-cloud/compute';
import { WeirError } from '../../core/errors.ts';
import type { AccountQuota, PricedMachine, QuotaReading, UnknownQuota } from '../provider.ts';
import { answerOf } from './answers.ts';
import { callOptions, persist } from './call.ts';
import type { Clients } from './clients.ts';
import { judge } from './faults.ts';
import { isTpu } from './machines.ts';
import { allGpusMetric, coreMetricOf, countsForAllRegions, gpuMetricOf, type Limits } from './metrics.ts';
import { explained, quotaPage } from './refusals.ts';
import type { GcpSettings } from './settings.ts';

/** What Google answered: limits of the regions and of the whole project, as far as it let us see them. */
export type ReadLimits = {
  regions: Map<string, Limits>;
  project: Limits | undefined;
  unknown: UnknownQuota[];
  /** What an operator has to change. */
  faults: WeirError[];
};

/**
 * Asks for the limits of the project and of the regions that machines may be made in: a call for each.
 * @throws WeirError `unavailable` where Google does not answer.
 */
export async function readLimits(settings: GcpSettings, clients: Clients): Promise<ReadLimits> {
  const { projectId: project, regions } = settings;
  const read: ReadLimits = { regions: new Map(), project: undefined, unknown: [], faults: [] };
  const unlessRefused = async (of: UnknownQuota['of'], call: () => Promise<void>): Promise<void> => {
    try {
      await explained(settings, () => persist(call));
    } catch (error) {
      const fault = refusalOf(error, of);
      if (fault === undefined) throw error;
      read.faults.push(fault);
      read.unknown.push({ of, message: fault.message });
    }
  };
  await Promise.all([
    unlessRefused({}, async () => {
      const [{ quotas }] = await clients.projects.get({ project }, callOptions);
      read.project = limitsOf(quotas);
    }),
    ...regions.map((region) =>
      unlessRefused({ region }, async () => {
        const [{ quotas, quotaStatusWarning }] = await clients.regions.get({ project, region }, callOptions);
        if (quotaStatusWarning) {
          const message = `Google Cloud could not tell the quotas of ${region} now: ${quotaStatusWarning.message ?? 'it did not say why'}.`;
          read.unknown.push({ of: { region }, message });
        } else read.regions.set(region, limitsOf(quotas));
      }),
    ),
  ]);
  return read;
}

/** An operator's matter; undefined where it is Google's, and passes. */
function refusalOf(error: unknown, { region }: UnknownQuota['of']): WeirError | undefined {
  const isGone = error instanceof WeirError && judge(answerOf(error.cause)).is === 'gone';
  if (isGone && region !== undefined)
    return new WeirError('invalid', `providers.gcp.regions names ${region}, and Google Cloud has no such region.`);
  return error instanceof WeirError && error.code === 'invalid' ? error : undefined;
}

function limitsOf(quotas: protos.google.cloud.compute.v1.IQuota[] | null | undefined): Limits {
  return new Map(
    (quotas ?? []).map(({ metric, limit, usage }) => [metric ?? '', { limit: limit ?? 0, used: usage ?? 0 }]),
  );
}

const familyAdvice =
  'counts in the quota "GPUs per GPU family", which Compute Engine does not show; it is known when Google refuses for it';
const tpuAdvice =
  'counts in quotas of the Cloud TPU API, which it does not show; they are known when Google refuses for them';

/** Of what was read, what the machines that are bought here count against. Pure. */
export function quotasOf(
  { regions, project, unknown }: Pick<ReadLimits, 'regions' | 'project' | 'unknown'>,
  machines: readonly PricedMachine[],
  settings: GcpSettings,
): QuotaReading {
  const pools = new Map<string, AccountQuota>();
  const take = (
    metric: string,
    limits: Limits,
    machine: PricedMachine,
    facts: Pick<AccountQuota, 'region' | 'unit'>,
  ) => {
    const { limit = 0, used = 0 } = limits.get(metric) ?? {};
    const raiseAt = quotaPage(settings.projectId, metric);
    const key = `${facts.region ?? ''} ${metric}`;
    const pool = pools.get(key) ?? { metric, ...facts, limit, used, takes: [], raiseAt };
    const { kind, count, cpus, machineType, market } = machine;
    // Of a pool of cores only the machines without GPUs are a kind by themselves.
    if (metric !== allGpusMetric && (facts.unit === 'GPUs' || kind === 'cpu')) pool.kind = kind;
    pool.takes.push({ machineType, market, amount: facts.unit === 'GPUs' ? count : cpus });
    pools.set(key, pool);
  };
  const untold = new Map<string, UnknownQuota>();
  for (const machine of machines) {
    const { region, kind, market } = machine;
    const limits = regions.get(region);
    if (isTpu(kind)) untold.set(kind, { of: { kind }, message: `${kind} ${tpuAdvice}.` });
    if (isTpu(kind) || limits === undefined) continue;
    const cores = coreMetricOf(machine, limits, settings);
    if (cores !== undefined) take(cores, limits, machine, { region, unit: 'cores' });
    if (kind === 'cpu') continue;
    const gpus = gpuMetricOf(machine, limits, settings);
    if (gpus !== undefined) take(gpus, limits, machine, { region, unit: 'GPUs' });
    else untold.set(`${kind} ${market}`, { of: { kind, market }, message: `${kind}, ${market}, ${familyAdvice}.` });
    if (project?.has(allGpusMetric) === true && countsForAllRegions(gpus, market))
      take(allGpusMetric, project, machine, { unit: 'GPUs' });
  }
  return { quotas: [...pools.values()], unknown: [...unknown, ...untold.values()] };
}
