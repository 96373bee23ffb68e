import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import type { Post } from './post.ts';
import { nextTry } from './schedule.ts';
import { signatureHeaders, signingSecret } from './signature.ts';
import { findDelivery, recordTry, type DeliveryRow, type Tried } from './store.ts';

export type DeliverDeps = { db: Database; now: Clock; secretKey: Buffer; post: Post };

/** The address is gone for good, by its own word. */
const gone = 410;

/** One try of one delivery, where it is due. Whoever receives it twice knows it by its webhook-id. */
export function createDeliver({ db, now, secretKey, post }: DeliverDeps) {
  return async (id: string): Promise<void> => {
    const delivery = await findDelivery(db.client, id);
    if (delivery === null || delivery.state !== 'pending' || delivery.nextTryAt > now()) return;
    const { url, body, tenantId } = delivery;
    const headers = signatureHeaders(signingSecret(secretKey, tenantId), { id, body, at: now() });
    const tried = await post(url, body, headers).then(
      ({ status }) => answered(delivery, status, now()),
      (error: unknown) =>
        failed(delivery, { status: null, error: error instanceof Error ? error.message : String(error) }, now()),
    );
    await recordTry(db.client, delivery, tried);
  };
}

function answered(delivery: DeliveryRow, status: number, at: Date): Tried {
  const isTaken = status >= 200 && status < 300;
  if (isTaken)
    return { state: 'delivered', lastStatus: status, lastError: null, nextTryAt: delivery.nextTryAt, deliveredAt: at };
  return failed(delivery, { status, error: `It answered ${status}.` }, at);
}

function failed(delivery: DeliveryRow, { status, error }: { status: number | null; error: string }, at: Date): Tried {
  const again = status === gone ? undefined : nextTry(delivery.tries + 1, at);
  return {
    state: again === undefined ? 'failed' : 'pending',
    lastStatus: status,
    lastError: error.slice(0, 500),
    nextTryAt: again ?? delivery.nextTryAt,
    deliveredAt: null,
  };
}
