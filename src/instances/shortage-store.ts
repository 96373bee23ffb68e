import type { Sql } from '../db/database.ts';
import type { Offer } from '../protocol/quote.ts';
import type { Shortage } from '../providers/provider.ts';
import { forgottenMs, holdsFor, probeMs, remember, type Remembered } from './shortage.ts';

type Row = Awaited<ReturnType<Sql['shortage']['findMany']>>[number];

function toRemembered({ region, zone, machineType, kind, market, cause, ...row }: Row): Remembered {
  return {
    ...row,
    cause: cause as Shortage['cause'],
    of: {
      ...(region === null ? {} : { region }),
      ...(zone === null ? {} : { zone }),
      ...(machineType === null ? {} : { machineType }),
      ...(kind === null ? {} : { kind }),
      ...(market === null ? {} : { market: market as Offer['market'] }),
    },
  };
}

/** All that is not forgotten. */
export async function listShortages(sql: Sql, now: Date): Promise<Remembered[]> {
  const rows = await sql.shortage.findMany({ where: { at: { gt: new Date(now.getTime() - forgottenMs) } } });
  return rows.map(toRemembered);
}

/** Keeps what a provider answered. True where nobody knew: an operator may want to hear of it. */
export async function recordShortage(tx: Sql, provider: string, shortage: Shortage, now: Date): Promise<boolean> {
  // One after the other, so that several jobs that are told the same at once count once.
  await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtext('weir shortage'))::text`;
  const known = await listShortages(tx, now);
  const { id, of, ...facts } = remember(provider, shortage, undefined, now);
  const before = known.find((each) => each.id === id);
  const { weight, heldUntil } = remember(provider, shortage, before, now);
  const row = { ...facts, ...of, weight, heldUntil };
  await tx.shortage.upsert({ where: { id }, create: { id, ...row }, update: row });
  return before === undefined;
}

/** A machine of this ware was had: what was said of it holds no longer. */
export async function forgetShortages(sql: Sql, ware: Offer, now: Date): Promise<void> {
  const over = (await listShortages(sql, now)).filter((each) => holdsFor(each, ware)).map(({ id }) => id);
  if (over.length > 0) await sql.shortage.deleteMany({ where: { id: { in: over } } });
}

/** One job tries whether it is over; the others wait for what comes of it. */
export async function probeShortage(tx: Sql, id: string, now: Date): Promise<void> {
  await tx.shortage.updateMany({
    where: { id },
    data: { probedAt: now, heldUntil: new Date(now.getTime() + probeMs) },
  });
}
