import { typeidUnboxed, fromString } from 'typeid-js';

/** The prefix of each kind's TypeID (https://github.com/jetify-com/typeid). */
const prefixes = {
  tenant: 'tnt',
  key: 'key',
  session: 'ses',
  quote: 'qte',
  option: 'opt',
  job: 'job',
  attempt: 'att',
  instance: 'ins',
  upload: 'upl',
  artifact: 'art',
  entry: 'ent',
  audit: 'aud',
  delivery: 'dlv',
  installation: 'inl',
} as const;

export type IdKind = keyof typeof prefixes;

/** A new time-ordered id, such as `job_01h455vb4pex5vsknk084sn02q`. */
export function newId(kind: IdKind): string {
  return typeidUnboxed(prefixes[kind]);
}

/** TypeID's base 32. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const indexLength = 3;

/** The id of the nth part of something, up to 32,768 parts: that of the whole with its last characters replaced. */
export function partId(kind: IdKind, wholeId: string, index: number): string {
  return partIds(kind, wholeId)(index);
}

/** The same for many parts of one whole. */
export function partIds(kind: IdKind, wholeId: string): (index: number) => string {
  const stem = `${prefixes[kind]}_${wholeId.slice(wholeId.indexOf('_') + 1, -indexLength)}`;
  const digit = (index: number, bits: number): string => alphabet.charAt((index >> bits) & 31);
  return (index) => stem + digit(index, 10) + digit(index, 5) + digit(index, 0);
}

/** True for a well-formed id of this kind. */
export function isId(kind: IdKind, text: string): boolean {
  try {
    fromString(text, prefixes[kind]);
    return true;
  } catch {
    return false;
  }
}

/** The regular expression that ids of this kind match, for JSON schemas. */
export function idPattern(kind: IdKind): string {
  return `^${prefixes[kind]}_[0-7][0-9a-hjkmnp-tv-z]{25}$`;
}
