import type { Policy } from '../protocol/tenant.ts';
import type { AccountQuota } from '../providers/provider.ts';
import type { Candidate } from './candidates.ts';
import { hostBytes, smallestCountThatHolds } from './memory.ts';
import type { Work } from './work.ts';

/** Why the tenant may not buy there, whatever is sold. */
export function policyReasons(
  { provider, region }: Pick<Candidate, 'provider' | 'region'>,
  { providers, regions }: Pick<Policy, 'providers' | 'regions'>,
): string[] {
  const reasons: string[] = [];
  if (providers !== undefined && !providers.includes(provider))
    reasons.push(`The tenant's policy does not allow the provider ${provider}.`);
  if (regions !== undefined && !regions.includes(region))
    reasons.push(`The tenant's policy does not allow the region ${region}.`);
  return reasons;
}

/** A limit of the operator's account that a job passes by itself, with what the job wants of it. */
export type PassedQuota = Pick<AccountQuota, 'metric' | 'region' | 'limit' | 'unit' | 'raiseAt'> & { wanted: number };

export function quotaFault({ metric, region, limit, unit, wanted }: PassedQuota, provider: string): string {
  const where = region === undefined ? 'over all regions' : `in ${region}`;
  return `The quota ${metric} of ${provider} ${where} is ${limit} ${unit}, and the job wants ${wanted} at once`;
}

export function quotaReason(quota: PassedQuota, provider: string): string {
  return `${quotaFault(quota, provider)}: an operator asks for more at ${quota.raiseAt}.`;
}

/** Why the model does not fit there, with the smallest count that holds it. */
export function memoryReasons({ kind, count, nodes, machineType, memoryBytes }: Candidate, work: Work): string[] {
  if (kind === 'cpu') {
    const needed = hostBytes(work, nodes);
    if (needed === undefined || needed <= memoryBytes) return [];
    return [
      `The model needs ${gib(needed)} GiB of memory, and a node gets ${gib(memoryBytes)} of ${machineType}: state resources.memoryGiB.`,
    ];
  }
  const needed = smallestCountThatHolds(work, kind);
  if (needed === undefined || needed <= count * nodes) return [];
  if (needed === Infinity)
    return [`The model does not fit: the activations of one sequence are too large for any count of ${kind}.`];
  return [
    `The model does not fit: with its gradients, optimiser state and activations it needs at least ${needed} ${kind}, fully sharded.`,
  ];
}

const gib = (bytes: number): number => Math.ceil(bytes / 1024 ** 3);
