import { invalid } from '../core/errors.ts';
import type { Wares } from './sellers.ts';
import type { Wanted } from './wanted.ts';

/** As the schema allows `resources.nodes`. */
const mostNodes = 10_000;

/**
 * A count is per node and exact. One that no machine has, beside no `nodes`, can only be that of all machines together: it is
 * read as a gang of the largest machine whose size divides it, and `reading` says so.
 * @throws WeirError `invalid` where no gang has so many.
 */
export function withTotalAsGang(wanted: Wanted, wares: Wares): { wanted: Wanted; reading: string | null } {
  const { kind, count, slice, nodes } = wanted;
  if (count === null || nodes !== null || slice !== null || kind === 'cpu') return { wanted, reading: null };
  const { sizes, largest } = sizesOf(kind, wares);
  if (sizes.length === 0 || count <= largest) return { wanted: { ...wanted, nodes: 1 }, reading: null };
  const size = sizes.findLast((each) => count % each === 0);
  if (size === undefined || count / size > mostNodes) throw noGang({ kind, count, sizes });
  const gang = `${count / size} machines of ${size}`;
  return {
    wanted: { ...wanted, count: size, nodes: count / size },
    reading: `${kind}:${count} is read as ${gang}: no machine has ${count}. State resources.nodes to say it otherwise.`,
  };
}

/** Counts of whole machines, ascending, and the most that any machine has, of a divisible one too. */
function sizesOf(kind: string, { byKind, catalogue }: Wares): { sizes: number[]; largest: number } {
  const own = (byKind.get(kind) ?? []).map(({ sellable }) => sellable);
  const whole = own.filter(({ divisible, hosts }) => divisible === undefined && hosts === undefined);
  const counts = [...catalogue.offers(kind), ...whole.map(({ accelerators }) => accelerators)].map(
    ({ count }) => count,
  );
  const sizes = [...new Set(counts)].toSorted((left, right) => left - right);
  return { sizes, largest: Math.max(0, ...sizes, ...own.map(({ accelerators }) => accelerators.count)) };
}

function noGang({ kind, count, sizes }: { kind: string; count: number; sizes: number[] }): Error {
  const size = sizes.at(-1) ?? 1;
  const nearest = Math.min(mostNodes, Math.max(1, Math.round(count / size)));
  return invalid(
    '/resources/accelerators',
    `No gang of up to ${mostNodes} machines has ${count} ${kind}: it is sold in machines of ${sizes.join(', ')}. ${kind}:${size} with nodes ${nearest} has ${size * nearest}.`,
  );
}
