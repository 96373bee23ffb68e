import { Type, type Static } from 'typebox';
import { closed, Id, Nullable, Time } from './common.ts';

/** What is told once in the life of a job: its forecast leaves its quote; four fifths of its `maxCostUsd` are spent. */
export const announcementTypes = ['forecast.left-quote', 'cost.nearing-limit'] as const;
export type AnnouncementType = (typeof announcementTypes)[number];

/** `job.finished` is told beside the name of the end itself, for who does not care how a job ended. */
export const webhookTypes = [
  'job.queued', 'job.provisioning', 'job.running', 'job.stopping', 'job.succeeded', 'job.failed', 'job.cancelled',
  'job.finished', ...announcementTypes,
] as const; // prettier-ignore
export type WebhookType = (typeof webhookTypes)[number];

export const Webhook = Type.Object(
  {
    url: Type.String({
      format: 'uri',
      pattern: '^https?://[^@/]+(/|\\?|$)',
      maxLength: 2048,
      description: 'A public address, without a password in it.',
    }),
    events: Type.Optional(
      Type.Array(Type.Enum([...webhookTypes]), {
        minItems: 1,
        maxItems: webhookTypes.length,
        description:
          'What to tell of. Left out: every change of the job’s state, its end as job.finished. Forecasts are told only where they are named.',
      }),
    ),
  },
  { ...closed, title: 'Webhook' },
);
export type Webhook = Static<typeof Webhook>;

/** What is posted. The signature's headers are those of the Standard Webhooks specification. */
export const WebhookMessage = Type.Object(
  {
    type: Type.Enum([...webhookTypes]),
    timestamp: Time('When it happened.'),
    data: Type.Object(
      {
        job: Id('job'),
        name: Type.String(),
        tenant: Id('tenant'),
        state: Type.String(),
        reason: Nullable(Type.String()),
        message: Type.String(),
        attempt: Nullable(Type.Integer()),
      },
      closed,
    ),
  },
  { ...closed, title: 'WebhookMessage' },
);
export type WebhookMessage = Static<typeof WebhookMessage>;

export const deliveryStates = ['pending', 'delivered', 'failed'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

export const WebhookDelivery = Type.Object(
  {
    id: Id('delivery', 'Sent as webhook-id, the same at each try: who has seen it may drop it.'),
    url: Type.String(),
    message: WebhookMessage,
    state: Type.Enum([...deliveryStates]),
    tries: Type.Integer(),
    lastStatus: Nullable(Type.Integer({ description: 'Of the last answer; null where there was none.' })),
    lastError: Nullable(Type.String()),
    createdAt: Time(),
    nextTryAt: Nullable(Time()),
    deliveredAt: Nullable(Time()),
  },
  { ...closed, title: 'WebhookDelivery' },
);
export type WebhookDelivery = Static<typeof WebhookDelivery>;
