import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Quote } from '../protocol/quote.ts';
import { toQuote } from './former.ts';

/** A higher level takes longer and saves hardly more: options repeat each other at any. */
const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** A longer text is compressed on another thread, so that others are served meanwhile; a shorter one sooner than a thread is told. */
const longBytes = 32_768;

const compress = promisify(zstdCompress);

/** A quote's text as it is stored: about a twelfth of a long one, a quarter of a short one. */
export async function pack(text: string): Promise<Buffer<ArrayBuffer>> {
  return text.length < longBytes ? zstdCompressSync(text, options) : compress(text, options);
}

export type StoredAnswer = { packed: Uint8Array | null; answer: unknown };

/** What of a row makes its quote. */
export const storedAnswer = { packed: true, answer: true } as const;

/** A stored quote as one of today, also where an earlier version stored it. */
export function unpack({ packed, answer }: StoredAnswer): Quote {
  return toQuote(packed === null ? answer : JSON.parse(zstdDecompressSync(packed).toString()));
}
