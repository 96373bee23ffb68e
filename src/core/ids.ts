import { typeidUnboxed, fromString } from 'typeid-js';

/** The prefix of each kind's TypeID (https://github.com/jetify-com/typeid). */
const prefixes = {
  tenant: 'tnt',
  key: 'key',
  quote: 'qte',
  option: 'opt',
  job: 'job',
  attempt: 'att',
  instance: 'ins',
  upload: 'upl',
  artifact: 'art',
  entry: 'ent',
  audit: 'aud',
  installation: 'inl',
} as const;

export type IdKind = keyof typeof prefixes;

/** A new time-ordered id, such as `job_01h455vb4pex5vsknk084sn02q`. */
export function newId(kind: IdKind): string {
  return typeidUnboxed(prefixes[kind]);
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
