import type { FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';

const mediaTypes = {
  json: 'application/json',
  csv: 'text/csv',
  markdown: 'text/markdown',
  text: 'text/plain',
  events: 'text/event-stream',
} as const;

export type Format = keyof typeof mediaTypes;

/** What to answer in: `?format=` where it is given, else what `Accept` likes best of what there is, else JSON. */
export function formatOf<F extends Format>(
  { headers, query }: Pick<FastifyRequest, 'headers' | 'query'>,
  offered: readonly F[],
): F | 'json' {
  const { format } = query as { format?: F };
  if (format !== undefined) return format;
  const formats = ['json', ...offered] as const;
  const liked = new Negotiator({ headers }).mediaType(formats.map((name) => mediaTypes[name]));
  return formats.find((name) => mediaTypes[name] === liked) ?? 'json';
}

/** The header's value. */
export function contentTypeOf(format: Format): string {
  return format === 'json' ? 'application/json; charset=utf-8' : `${mediaTypes[format]}; charset=utf-8`;
}
