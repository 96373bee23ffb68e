import { answer, firstOf, type List } from '../api.ts';
import { Failure } from '../failure.ts';
import type { WebhookDelivery } from '../generated/api.ts';
import { isTerminal, note, print, printJson, type Style } from '../screen.ts';
import { connect, jobIdOf, type Flags, type Session } from '../session.ts';
import { table, type Cell } from '../table.ts';
import { when } from '../words.ts';

export async function listWebhooks(given: string, flags: Flags): Promise<void> {
  const session = await connect(flags);
  const job = await jobIdOf(session, given);
  const list = await deliveriesOf(session, job);
  if (flags.json === true) return printJson(list);
  if (list.items.length === 0) return note('Nothing was sent: a spec names webhooks, and what to tell them of.');
  showDeliveries(list.items);
  if (list.items.some(({ state }) => state === 'failed')) note(`next: weir webhooks replay ${job}`);
}

/** Sends again those named, or all that could not be delivered. */
export async function replayWebhooks(given: string, wanted: string[], flags: Flags): Promise<void> {
  const session = await connect(flags);
  const job = await jobIdOf(session, given);
  const failed = async () => (await deliveriesOf(session, job)).items.filter(({ state }) => state === 'failed');
  const ids = wanted.length > 0 ? wanted : (await failed()).map(({ id }) => id);
  if (ids.length === 0)
    throw new Failure('All that was sent has arrived, or is still being tried.', {
      next: `weir webhooks ls ${job}, and then name what to send again`,
    });
  const items: WebhookDelivery[] = [];
  for (const delivery of ids) {
    const path = { job, delivery };
    items.push(await answer(session.api.POST('/v1/jobs/{job}/webhooks/{delivery}/replay', { params: { path } })));
  }
  if (flags.json === true) return printJson({ items });
  for (const { id } of items) print(isTerminal ? `Sending ${id} again` : id);
  note(`next: weir webhooks ls ${job}`);
}

export async function showWebhookSecret(flags: Flags): Promise<void> {
  const { api, tenantId } = await connect(flags);
  const path = { tenant: await tenantId() };
  const found = await answer(api.GET('/v1/tenants/{tenant}/webhook-secret', { params: { path } }));
  if (flags.json === true) return printJson(found);
  print(found.secret);
}

function deliveriesOf({ api }: Session, job: string): Promise<List<WebhookDelivery>> {
  return firstOf(Infinity, (query) => answer(api.GET('/v1/jobs/{job}/webhooks', { params: { path: { job }, query } })));
}

const styles: Record<WebhookDelivery['state'], Style> = { pending: 'yellow', delivered: 'green', failed: 'red' };

function showDeliveries(deliveries: readonly WebhookDelivery[]): void {
  table(
    ['delivery', 'told of', 'state', 'tries', 'answer', 'address', 'since'],
    deliveries.map(({ id, message, state, tries, lastStatus, lastError, url, createdAt }): Cell[] => [
      id,
      message.type,
      { text: state, style: styles[state] },
      String(tries),
      lastError ?? (lastStatus === null ? '' : String(lastStatus)),
      url,
      when(createdAt),
    ]),
  );
}
