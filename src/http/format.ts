import type { FastifyRequest } from 'fastify';

const mediaTypes = { json: 'application/json', csv: 'text/csv', markdown: 'text/markdown' } as const;

export type Format = keyof typeof mediaTypes;

/** What to answer in: `?format=` where it is given, else what `Accept` likes best of what there is, else JSON. */
export function formatOf<F extends Format>(
  { headers, query }: Pick<FastifyRequest, 'headers' | 'query'>,
  offered: readonly F[],
): F | 'json' {
  const { format } = query as { format?: F };
  if (format !== undefined) return format;
  const liked = (headers.accept ?? '')
    .split(',')
    .map((range) => {
      const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
      const quality = parameters.find((parameter) => parameter.startsWith('q='));
      return { type, quality: quality === undefined ? 1 : Number(quality.slice(2)) };
    })
    .filter(({ quality }) => quality > 0)
    .toSorted((a, b) => b.quality - a.quality);
  for (const { type } of liked) {
    const format = offered.find((name) => mediaTypes[name] === type);
    if (format !== undefined) return format;
    if (type === '*/*' || type === 'application/*' || type === mediaTypes.json) return 'json';
  }
  return 'json';
}

/** The header's value. */
export function contentTypeOf(format: Format): string {
  return format === 'json' ? 'application/json; charset=utf-8' : `${mediaTypes[format]}; charset=utf-8`;
}
