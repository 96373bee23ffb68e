/** Which tenant stands directly above another: team → organisation. */
export type Parents = ReadonlyMap<string, string>;

/** All above a tenant, the nearest first. A cycle, which no policy can make, would end where it closes. */
export function ancestorsOf(id: string, parents: Parents): string[] {
  const above: string[] = [];
  for (let next = parents.get(id); next !== undefined && !above.includes(next); next = parents.get(next))
    above.push(next);
  return above;
}

/** What each tenant has itself, together with all that those below it have. */
export function rollUp(own: ReadonlyMap<string, number>, parents: Parents): Map<string, number> {
  const sums = new Map(own);
  for (const [id, amount] of own)
    for (const above of ancestorsOf(id, parents)) sums.set(above, (sums.get(above) ?? 0) + amount);
  return sums;
}
