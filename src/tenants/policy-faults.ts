import type { Fault } from '../core/errors.ts';
import { gpuKinds, tpuGenerations } from '../protocol/job-spec.ts';
import type { Policy } from '../protocol/tenant.ts';

/** What a policy may count: GPUs by kind, TPU chips by generation, and cores. */
export const countedKinds: readonly string[] = [...gpuKinds, ...tpuGenerations, 'cpu'];

/** What the schema can't say about a policy. All faults together. */
export function policyFaults(policy: Policy, providers: readonly string[]): Fault[] {
  const { guaranteed, borrowing, lending, caps } = policy;
  return [
    ...kindFaults('/guaranteed', guaranteed),
    ...kindFaults('/borrowing', borrowing),
    ...kindFaults('/lending', lending),
    ...kindFaults('/caps/accelerators', caps?.accelerators),
    ...(policy.providers ?? [])
      .map((name, index) => ({ name, pointer: `/providers/${index}` }))
      .filter(({ name }) => !providers.includes(name))
      .map(({ name, pointer }) => ({
        pointer,
        detail: `There is no provider "${name}"; there are ${providers.join(', ')}.`,
      })),
    ...lendingFaults(policy),
  ];
}

function kindFaults(pointer: string, counts: Record<string, number> | undefined): Fault[] {
  return Object.keys(counts ?? {})
    .filter((kind) => !countedKinds.includes(kind))
    .map((kind) => ({
      pointer: `${pointer}/${kind.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      detail: `"${kind}" is no kind of accelerator; there are ${countedKinds.join(', ')}.`,
    }));
}

function lendingFaults({ guaranteed = {}, lending = {} }: Policy): Fault[] {
  return Object.entries(lending)
    .filter(([kind, count]) => count > (guaranteed[kind] ?? 0))
    .map(([kind, count]) => ({
      pointer: `/lending/${kind}`,
      detail: `The tenant can't lend ${count} of its ${guaranteed[kind] ?? 0} guaranteed ${kind}.`,
    }));
}

/** The first tenant met twice on the way up from this one, were `parentId` its parent; undefined where the way ends. */
export function findCycle(
  tenantId: string,
  parentId: string | undefined,
  parents: ReadonlyMap<string, string>,
): string | undefined {
  const seen = new Set([tenantId]);
  for (let above = parentId; above !== undefined; above = parents.get(above)) {
    if (seen.has(above)) return above;
    seen.add(above);
  }
  return undefined;
}
