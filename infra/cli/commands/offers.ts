import { formatUsd } from '../../../src/core/money.ts';
import { answer, firstOf } from '../api.ts';
import type { CurrentOffer } from '../generated/api.ts';
import { note, printJson } from '../screen.ts';
import { connect, type Flags } from '../session.ts';
import { table } from '../table.ts';
import { machines, when } from '../words.ts';

export async function offers(flags: Flags & { accelerator?: string }): Promise<void> {
  const { api } = await connect(flags);
  const list = await firstOf(Infinity, (query) => answer(api.GET('/v1/offers', { params: { query } })));
  const wanted = flags.accelerator?.toLowerCase();
  const items = list.items.filter(
    ({ accelerators: { kind } }) => wanted === undefined || kind.toLowerCase() === wanted,
  );
  if (flags.json === true) return printJson({ ...list, items });
  if (items.length === 0) return note('Nothing can be bought now; weir quote also shows what this installation lacks.');
  table(
    ['machine', 'type', 'provider', 'region', 'market', 'free now', 'an hour', 'price of'],
    items.map((offer) => [
      machines(offer),
      offer.machineType,
      offer.provider,
      offer.zone ?? offer.region,
      offer.market,
      freeNow(offer),
      formatUsd(offer.hourlyUsd),
      offer.priceDate,
    ]),
  );
}

/** Accelerators, or cores where there are none; of a cloud that it had none, or what the tightest quota leaves. */
function freeNow({ availability: { free, quota, lastShortageAt } }: CurrentOffer): string {
  if (free !== null) return String(free.accelerators);
  if (lastShortageAt !== null) return `none at ${when(lastShortageAt)}`;
  return quota === null ? '' : `${quota.free} of ${quota.limit} ${quota.unit}`;
}
