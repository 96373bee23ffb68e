import { toUsd, type MicroUsd } from '../core/money.ts';
import type { Offer } from '../protocol/quote.ts';
import type { Market } from './price-list.ts';

/** What names something that can be bought. */
export type Named = {
  provider: string;
  region: string;
  zone: string | null;
  machineType: string;
  kind: string;
  /** Per node. */
  count: number;
  nodes: number;
  gigaflopsPerCore: number | undefined;
  market: Market;
  /** Of all nodes together. */
  microUsdPerHour: MicroUsd;
  priceDate: string;
};

export function offerOf({
  provider,
  region,
  zone,
  machineType,
  kind,
  count,
  nodes,
  gigaflopsPerCore,
  market,
  microUsdPerHour,
  priceDate,
}: Named): Offer {
  return {
    id: `${provider}/${zone ?? region}/${machineType}/${kind}:${count}/${nodes}/${market}`,
    provider,
    region,
    zone,
    machineType,
    accelerators: { kind, count },
    nodes,
    ...(gigaflopsPerCore === undefined ? {} : { gigaflopsPerCore }),
    market,
    hourlyUsd: toUsd(microUsdPerHour),
    priceDate,
  };
}
