import { invalid } from '../core/errors.ts';

const maxLimit = 1000;
const defaultLimit = 50;

export type Page = {
  limit: number;
  /** How many rows to read: one more than are shown, to know whether there are more. */
  take: number;
  answer: <T>(rows: T[], idOf: (row: T) => string) => { items: T[]; nextCursor: string | null };
};

/** One page of a list, of as many rows as asked for, up to 1000. */
export function pageOf(asked: number | undefined): Page {
  const limit = Math.min(asked ?? defaultLimit, maxLimit);
  return {
    limit,
    take: limit + 1,
    answer: (rows, idOf) => {
      const items = rows.slice(0, limit);
      const last = items.at(-1);
      return { items, nextCursor: rows.length > limit && last !== undefined ? writeCursor(idOf(last)) : null };
    },
  };
}

export function writeCursor(lastId: string): string {
  return Buffer.from(lastId).toString('base64url');
}

/** The id after which the page starts; undefined for the first page. */
export function readCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const lastId = Buffer.from(cursor, 'base64url').toString();
  const isOurs = /^[\x20-\x7e]+$/.test(lastId) && writeCursor(lastId) === cursor;
  if (!isOurs) throw invalid('?cursor', 'This cursor is not one that a list gave; leave it out to start over.');
  return lastId;
}

/** The number after which a page starts. */
export function seqAfter(cursor: string | undefined): number {
  const seq = Number(readCursor(cursor) ?? -1);
  if (!Number.isSafeInteger(seq) || seq < -1)
    throw invalid('?cursor', 'This cursor is not one that this list gave; leave it out to start over.');
  return seq;
}
