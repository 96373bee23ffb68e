import { newId } from '../core/ids.ts';
import type { Database, Prisma, Sql } from '../db/database.ts';
import type { Webhook } from '../protocol/webhook.ts';
import { messagesOf, type Change } from './messages.ts';

export type NewDelivery = Prisma.WebhookDeliveryCreateManyInput;

/** The deliveries that a change of a job asks for. */
export function deliveriesOf(webhooks: readonly Webhook[], change: Change): NewDelivery[] {
  const { jobId, tenantId, at } = change;
  return messagesOf(webhooks, change).map(({ url, message }) => ({
    id: newId('delivery'),
    jobId,
    tenantId,
    url,
    type: message.type,
    body: JSON.stringify(message),
    createdAt: at,
    nextTryAt: at,
  }));
}

/** Whom a change is told, if anybody. */
export type Teller = { jobId: string; tenantId: string; name: string; webhooks: Webhook[] | null };

/** In the transaction that writes the event: what was told of has happened, and what happened is told of. */
export async function recordDeliveries(
  tx: Sql,
  { webhooks, ...teller }: Teller,
  change: Omit<Change, 'jobId' | 'tenantId' | 'name'>,
): Promise<void> {
  if (webhooks === null) return;
  const data = deliveriesOf(webhooks, { ...change, ...teller });
  if (data.length > 0) await tx.webhookDelivery.createMany({ data });
}

/** A sweep wakes no more at once, since what comes due later waits behind them; what is left is due at the next. */
const dueAtOnce = 100;

/** Those due the longest, of each tenant in turn: one whose address takes nothing keeps no other's from being sent. */
export async function listDue(sql: Sql, now: Date): Promise<string[]> {
  const due = await sql.$queryRaw<{ id: string }[]>`
    SELECT id FROM (
      SELECT id, next_try_at, row_number() OVER (PARTITION BY tenant_id ORDER BY next_try_at) AS turn
      FROM webhook_delivery WHERE state = 'pending' AND next_try_at <= ${now}
    ) due ORDER BY turn, next_try_at LIMIT ${dueAtOnce}`;
  return due.map(({ id }) => id);
}

export async function findDelivery(sql: Sql, id: string) {
  return sql.webhookDelivery.findUnique({ where: { id } });
}

export type DeliveryRow = NonNullable<Awaited<ReturnType<typeof findDelivery>>>;

export type Tried = Pick<DeliveryRow, 'state' | 'lastStatus' | 'lastError' | 'nextTryAt' | 'deliveredAt'>;

/** What came of a try; of two at once the first is kept. */
export async function recordTry(sql: Sql, { id, tries }: DeliveryRow, tried: Tried): Promise<void> {
  await sql.webhookDelivery.updateMany({ where: { id, tries }, data: { ...tried, tries: tries + 1 } });
}

export async function listDeliveries(
  sql: Sql,
  jobId: string,
  after: string | undefined,
  take: number,
): Promise<DeliveryRow[]> {
  return sql.webhookDelivery.findMany({
    where: { jobId, ...(after === undefined ? {} : { id: { gt: after } }) },
    orderBy: { id: 'asc' },
    take,
  });
}

/** Due again, its tries counted anew. Undefined where the job has no such delivery. */
export async function replayDelivery(
  db: Database,
  jobId: string,
  id: string,
  at: Date,
): Promise<DeliveryRow | undefined> {
  const [row] = await db.client.webhookDelivery.updateManyAndReturn({
    where: { id, jobId },
    data: { state: 'pending', tries: 0, nextTryAt: at, deliveredAt: null },
  });
  return row;
}

export async function forgetDeliveries(sql: Sql, before: Date): Promise<void> {
  await sql.webhookDelivery.deleteMany({ where: { createdAt: { lt: before }, state: { not: 'pending' } } });
}
