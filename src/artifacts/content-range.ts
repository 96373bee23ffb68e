import { WeirError } from '../core/errors.ts';

/**
 * One PUT of a resumable upload. `status`: how far is it. `part`: bytes from `first` up to, not including, `end`. `whole`: a
 * plain PUT of everything.
 */
export type Put =
  | { kind: 'status'; total: number | undefined }
  | { kind: 'part'; first: number; end: number; total: number | undefined }
  | { kind: 'whole'; total: number | undefined };

/**
 * What a PUT means, by its `Content-Range` and the size that its URL was signed for.
 * @throws WeirError `invalid` where the header is no `Content-Range`, or names another size.
 */
export function readPut(contentRange: string | undefined, signedSizeBytes: number | undefined): Put {
  if (contentRange === undefined) return { kind: 'whole', total: signedSizeBytes };
  const match = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15}|\*)$/.exec(contentRange);
  if (match === null)
    throw faulty(
      `"${contentRange}" is not understood; send "bytes 0-524287/2000000", "bytes */2000000" or no Content-Range at all`,
    );

  const stated = match[3] === '*' ? undefined : Number(match[3]);
  if (stated !== undefined && signedSizeBytes !== undefined && stated !== signedSizeBytes) {
    throw faulty(`it says ${stated} bytes in all, but this URL was made for ${signedSizeBytes}`);
  }
  const total = stated ?? signedSizeBytes;
  if (match[1] === undefined) return { kind: 'status', total };

  const first = Number(match[1]);
  const end = Number(match[2]) + 1;
  if (end <= first || end > (total ?? Number.MAX_SAFE_INTEGER))
    throw faulty(`"${contentRange}" ends before it begins or after its total`);
  return { kind: 'part', first, end, total };
}

function faulty(detail: string): WeirError {
  return new WeirError('invalid', `Content-Range: ${detail}.`, { faults: [{ pointer: 'Content-Range', detail }] });
}
