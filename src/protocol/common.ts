import { Type, type Static, type TSchema } from 'typebox';
import { idPattern, type IdKind } from '../core/ids.ts';
import { durationPattern } from '../core/time.ts';

/** A TypeID of the given kind. */
export const Id = (kind: IdKind, description?: string) =>
  Type.String({ pattern: idPattern(kind), ...(description === undefined ? {} : { description }) });

export const Time = (description?: string) =>
  Type.String({ format: 'date-time', ...(description === undefined ? {} : { description }) });

export const Duration = (description: string) =>
  Type.String({ pattern: durationPattern, description: `${description} Such as 90s, 30m, 2h or 3d.` });

export const Usd = (description?: string) => Type.Number(description === undefined ? {} : { description });

export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const closed = { additionalProperties: false } as const;

export const Percentiles = Type.Object(
  { p10: Type.Number(), p50: Type.Number(), p90: Type.Number() },
  { ...closed, title: 'Percentiles' },
);

export const List = <T extends TSchema>(item: T, title: string) =>
  Type.Object(
    {
      items: Type.Array(item),
      nextCursor: Nullable(Type.String({ description: 'Pass as ?cursor= for the next page; null on the last.' })),
    },
    { ...closed, title },
  );

export const Page = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, default: 50, description: 'Clamped to 1000.' })),
    cursor: Type.Optional(Type.String()),
  },
  closed,
);

export const Blocker = Type.Object(
  {
    code: Type.Enum([
      'capacity',
      'quota',
      'cap',
      'share-cap',
      'concentration',
      'budget',
      'dependency',
      'reservation',
      'stockout',
      'backoff',
    ]),
    message: Type.String(),
    unblocks: Type.String({ description: 'What would let the job start.' }),
  },
  { ...closed, title: 'Blocker' },
);
export type Blocker = Static<typeof Blocker>;

/** With `dearer`: what an option of a quote costs and takes. */
const Priced = Type.Object(
  {
    quoteId: Id('quote'),
    optionId: Id('option'),
    expiresAt: Time(),
    hourlyUsd: Usd(),
    costUsd: Percentiles,
    durationSeconds: Percentiles,
  },
  { ...closed, title: 'PricedOption' },
);

/** RFC 9457 problem details. */
export const Problem = Type.Object(
  {
    type: Type.String({ format: 'uri-reference' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String(),
    errors: Type.Optional(
      Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() }, closed), {
        description: 'Every fault of the input, each with its JSON pointer.',
      }),
    ),
    blockers: Type.Optional(Type.Array(Blocker, { description: 'With can-never-start: what is in the way.' })),
    smallestChange: Type.Optional(Type.String({ description: 'With can-never-start: what would let it start.' })),
    quoted: Type.Optional(Priced),
    requoted: Type.Optional(Priced),
    risePercent: Type.Optional(
      Nullable(
        Type.Number({ description: 'With dearer: from quoted to requoted, at p50; null where it cost nothing.' }),
      ),
    ),
    down: Type.Optional(Type.Array(Type.String(), { description: 'Of GET /readyz: what does not answer.' })),
    retryAfterSeconds: Type.Optional(Type.Integer()),
  },
  { title: 'Problem' },
);
