import { WeirError } from '../core/errors.ts';
import type { Sellable } from '../providers/provider.ts';
import { wareKey, type Catalogue } from './price-list.ts';

/** What a configured provider sells. */
export type Seller = { provider: string; sellables: readonly Sellable[] };

export type Ware = { provider: string; sellable: Sellable };

/** Wares by accelerator kind, and the keys of all, so that the catalogue does not list them again. */
export type Wares = {
  byKind: ReadonlyMap<string, readonly Ware[]>;
  keys: ReadonlySet<string>;
  providers: ReadonlySet<string>;
  catalogue: Catalogue;
};

/** Indexed once per listing, since a quote needs one kind only. */
export function indexWares(sellers: readonly Seller[], catalogue: Catalogue): Wares {
  const byKind = new Map<string, Ware[]>();
  const keys = new Set<string>();
  for (const { provider, sellables } of sellers) {
    for (const sellable of sellables) {
      const wares = byKind.get(sellable.accelerators.kind) ?? [];
      byKind.set(sellable.accelerators.kind, wares);
      wares.push({ provider, sellable });
      keys.add(wareKey(provider, sellable.region, sellable.machineType, sellable.market));
    }
  }
  return { byKind, keys, providers: new Set(sellers.map(({ provider }) => provider)), catalogue };
}

/**
 * A misspelt provider would look like a shortage.
 * @throws WeirError `invalid` with each that neither this installation nor the catalogue has.
 */
export function requireProviders(named: readonly string[], { providers, catalogue }: Wares): void {
  const known = new Set([...providers, catalogue.provider]);
  const faults = named.flatMap((name, index) =>
    known.has(name)
      ? []
      : [
          {
            pointer: `/resources/providers/${index}`,
            detail: `There is no provider "${name}"; there are ${[...known].join(', ')}.`,
          },
        ],
  );
  if (faults.length > 0) throw new WeirError('invalid', faults.map(({ detail }) => detail).join(' '), { faults });
}
