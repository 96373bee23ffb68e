/** A spec as it is written, before the service has looked at it. */
export type Spec = Record<string, unknown>;

const isObject = (value: unknown): value is Spec =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a spec has at a JSON pointer such as /resources/cpus. */
export function valueAt(spec: Spec, pointer: string): unknown {
  return keysOf(pointer).reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), spec);
}

/** The spec with another value there; undefined takes it out, and with it what is then empty. */
export function withValueAt(spec: Spec, pointer: string, value: unknown): Spec {
  const [key = '', ...rest] = keysOf(pointer);
  const inner = rest.length === 0 ? value : withValueAt(objectAt(spec, key), `/${rest.join('/')}`, value);
  const isEmpty = inner === undefined || (rest.length > 0 && isObject(inner) && Object.keys(inner).length === 0);
  const { [key]: _former, ...others } = spec;
  // What was there stays where it was, so that the text does not jump.
  return isEmpty ? others : key in spec ? { ...spec, [key]: inner } : { ...others, [key]: inner };
}

export const keysOf = (pointer: string): string[] => pointer.split('/').slice(1);

function objectAt(spec: Spec, key: string): Spec {
  const value = spec[key];
  return isObject(value) ? value : {};
}
