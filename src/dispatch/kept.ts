import type { Quota } from './snapshot.ts';

/** A tenant as far as its guarantees go. */
export type Holder = {
  id: string;
  lineage: Holder[];
  parent: string | undefined;
  quotas: Record<string, Quota>;
  accelerators: Record<string, number>;
};

/**
 * What is kept free for guarantees that are not lent. Of a guarantee `g` of which `l` is lent, `g − l − used` is kept while it is
 * idle; an organisation keeps at least what its teams keep together. Counted on with each start and end of a job, so that asking
 * costs the height of the tree, not the number of tenants.
 */
export type Kept = {
  /** False where all that is guaranteed is lent. */
  isAny: boolean;
  /** Of this kind, for all but the tenant of this lineage and those above it. */
  forOthers: (lineage: Holder[], kind: string) => number;
  /** To be called when what this tenant uses of the kind has changed. */
  recount: (lineage: Holder[], kind: string) => void;
};

export function createKept(tenants: Holder[]): Kept {
  const isLimited = tenants.some(({ quotas }) =>
    Object.values(quotas).some(({ guaranteed, lending }) => lending < guaranteed),
  );
  if (!isLimited) return { isAny: false, forOthers: () => 0, recount: () => undefined };
  const kept = createAmounts();
  /** Of all directly below a tenant; below the root where the tenant is undefined. */
  const below = createAmounts();

  const settle = ({ id, parent, quotas, accelerators }: Holder, kind: string): void => {
    const { guaranteed, lending } = quotas[kind] ?? { guaranteed: 0, lending: 0 };
    const own = Math.max(0, guaranteed - lending - (accelerators[kind] ?? 0));
    const now = Math.max(own, below.get(id, kind));
    below.add(parent, kind, now - kept.get(id, kind));
    kept.set(id, kind, now);
  };
  const recount = (lineage: Holder[], kind: string): void => lineage.forEach((holder) => settle(holder, kind));

  for (const { lineage, quotas } of tenants) for (const kind of Object.keys(quotas)) recount(lineage, kind);
  return {
    isAny: true,
    forOthers: (lineage, kind) =>
      lineage.reduce(
        (sum, { id, parent }) => sum + below.get(parent, kind) - kept.get(id, kind),
        // An organisation's own jobs are none of its teams'.
        below.get(lineage[0]?.id, kind),
      ),
    recount,
  };
}

/** The same as it will be once some jobs have ended and others started, counted apart from what is so now. */
export type KeptLater = Pick<Kept, 'isAny' | 'forOthers'> & {
  count: (tenantId: string, accelerators: { kind: string; count: number }, sign: 1 | -1) => void;
};

export function createKeptLater(tenants: Holder[], { isAny, forOthers }: Kept): KeptLater {
  if (!isAny) return { isAny, forOthers, count: () => undefined };
  const copies = new Map(tenants.map((each) => [each.id, { ...each, accelerators: { ...each.accelerators } }]));
  for (const copy of copies.values()) copy.lineage = copy.lineage.flatMap(({ id }) => copies.get(id) ?? []);
  const kept = createKept([...copies.values()]);
  return {
    isAny,
    forOthers: kept.forOthers,
    count: (tenantId, { kind, count }, sign) => {
      const lineage = copies.get(tenantId)?.lineage ?? [];
      for (const { accelerators } of lineage) accelerators[kind] = (accelerators[kind] ?? 0) + sign * count;
      kept.recount(lineage, kind);
    },
  };
}

function createAmounts() {
  const amounts = new Map<string | undefined, Map<string, number>>();
  const get = (id: string | undefined, kind: string) => amounts.get(id)?.get(kind) ?? 0;
  const set = (id: string | undefined, kind: string, amount: number) => {
    const ofTenant = amounts.get(id) ?? new Map<string, number>();
    amounts.set(id, ofTenant.set(kind, amount));
  };
  return { get, set, add: (id: string | undefined, kind: string, more: number) => set(id, kind, get(id, kind) + more) };
}
