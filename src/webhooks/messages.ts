import type { JobState } from '../protocol/job.ts';
import type { AnnouncementType, Webhook, WebhookMessage, WebhookType } from '../protocol/webhook.ts';

/** A change of a job's state, as its event has it, or an announcement while it is in that state. */
export type Change = {
  jobId: string;
  tenantId: string;
  name: string;
  to: JobState;
  /** Set where no state changed. */
  announcement?: AnnouncementType;
  at: Date;
  attempt: number | null;
  reason: string | null;
  message: string;
};

const ends: ReadonlySet<JobState> = new Set<JobState>(['succeeded', 'failed', 'cancelled']);

/** What each address is told of a change: nothing where it did not ask for it. */
export function messagesOf(webhooks: readonly Webhook[], change: Change): { url: string; message: WebhookMessage }[] {
  return webhooks.flatMap(({ url, events }) =>
    typesOf(change, events).map((type) => ({ url, message: messageOf(type, change) })),
  );
}

function typesOf({ to, announcement }: Change, events: readonly WebhookType[] | undefined): WebhookType[] {
  if (announcement !== undefined) return events?.includes(announcement) === true ? [announcement] : [];
  const own = `job.${to}` as const;
  if (events === undefined) return [ends.has(to) ? 'job.finished' : own];
  const types: WebhookType[] = ends.has(to) ? [own, 'job.finished'] : [own];
  return types.filter((type) => events.includes(type));
}

function messageOf(type: WebhookType, { jobId, tenantId, name, to, at, attempt, reason, message }: Change) {
  const data = { job: jobId, name, tenant: tenantId, state: to, reason, message, attempt };
  return { type, timestamp: at.toISOString(), data };
}
