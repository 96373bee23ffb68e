import type { Clock } from '../core/time.ts';
import type { Database, Sql } from '../db/database.ts';
import { postNotice } from '../shares/store.ts';
import { writeAudit } from '../tenants/audit.ts';
import type { Figures } from './figures.ts';

/** The last round's figures, where every process reads them: see src/http/dispatch-metrics.ts. */
export type RecordedRound = Figures & { at: string; seconds: number };

const settingName = 'last dispatch';

export async function readRound(sql: Sql): Promise<RecordedRound | undefined> {
  const row = await sql.setting.findUnique({ where: { name: settingName } });
  return (row?.value ?? undefined) as RecordedRound | undefined;
}

/** A round comes many times a second, and nobody looks oftener than this; while no job waits, all there is to see is what is measured. */
const restMs = 1_000;
const quietRestMs = 15_000;

/**
 * Keeps what a round was like. A ceiling on concentration that it finds passed, and the one before did not, is an entry in the audit and
 * a line on the statement of the tenant with the largest share.
 */
export function createRecord({ db, now }: { db: Database; now: Clock }) {
  let last: { atMs: number; breached: string; isQuiet: boolean } | undefined;
  return async (figures: Figures, seconds: number): Promise<void> => {
    const at = now();
    const isQuiet = figures.looked === 0;
    const breached = figures.breaches.map(({ figure }) => figure).join();
    const dueMs = isQuiet && last?.isQuiet === true ? quietRestMs : restMs;
    if (last?.breached === breached && at.getTime() - last.atMs < dueMs) return;
    await db.transaction(async (tx) => {
      // Of two workers that find the same ceiling passed, one tells it.
      await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtext('weir last dispatch'))::text`;
      const before = await readRound(tx);
      const value = { ...figures, at: at.toISOString(), seconds };
      await tx.setting.upsert({
        where: { name: settingName },
        create: { name: settingName, value },
        update: { value },
      });
      await tx.$queryRaw`SELECT pg_notify('weir_round', '')::text`;
      const known = new Set(before?.breaches.map(({ figure }) => figure));
      for (const breach of figures.breaches) if (!known.has(breach.figure)) await tell(tx, breach, at);
    });
    last = { atMs: at.getTime(), breached, isQuiet };
  };
}

async function tell(
  tx: Sql,
  { figure, value, ceiling, largest }: Figures['breaches'][number],
  at: Date,
): Promise<void> {
  const note = `The pool's ${figure} is ${value.toFixed(3)}, above its ceiling of ${ceiling}.`;
  await writeAudit(tx, {
    actor: 'weir',
    tenantId: null,
    action: 'concentration.breach',
    target: 'pool',
    after: { figure, value, ceiling, largest },
  });
  if (largest !== '') await postNotice(tx, { tenantId: largest, note, at });
}
