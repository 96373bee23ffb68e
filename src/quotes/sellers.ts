import type { Sellable } from '../providers/provider.ts';
import { wareKey } from './catalogue.ts';

/** What a configured provider sells. */
export type Seller = { provider: string; sellables: readonly Sellable[] };

export type Ware = { provider: string; sellable: Sellable };

/** Wares by accelerator kind, and the keys of all, so that the catalogue does not list them again. */
export type Wares = {
  byKind: ReadonlyMap<string, readonly Ware[]>;
  keys: ReadonlySet<string>;
  providers: ReadonlySet<string>;
};

/** Indexed once per listing, since a quote needs one kind only. */
export function indexWares(sellers: readonly Seller[]): Wares {
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
  return { byKind, keys, providers: new Set(sellers.map(({ provider }) => provider)) };
}
