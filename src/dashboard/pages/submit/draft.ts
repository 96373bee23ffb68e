import { isMap, parseDocument, stringify } from 'yaml';
import { keysOf, withValueAt, type Spec } from './spec-path.ts';

/** The text with another value there; undefined takes it out. The rest stays as it was written, with its comments, where that can be. */
export function withFieldOf(text: string, pointer: string, value: unknown): string {
  const wanted = withValueAt(readYaml(text).spec ?? {}, pointer, value);
  if (Object.keys(wanted).length === 0) return '';
  const changed = changedInPlace(text, pointer, value);
  // Not so where an alias stands for the value, or where others are written as aliases of it.
  const isMeant = changed !== undefined && JSON.stringify(readYaml(changed).spec) === JSON.stringify(wanted);
  return isMeant ? changed : stringify(wanted, layout);
}

const layout = { lineWidth: 0 };

function changedInPlace(text: string, pointer: string, value: unknown): string | undefined {
  const document = parseDocument(text);
  if (!isMap(document.contents)) return undefined;
  const keys = keysOf(pointer);
  const parent = keys.slice(0, -1);
  try {
    if (value === undefined) {
      document.deleteIn(keys);
      const left = document.getIn(parent);
      if (isMap(left) && left.items.length === 0) document.deleteIn(parent);
    } else {
      if (document.getIn(parent) === null) document.deleteIn(parent);
      document.setIn(keys, value);
    }
    return document.toString(layout);
  } catch {
    return undefined;
  }
}

export type Read = { spec: Spec; fault?: undefined } | { spec?: undefined; fault: string };

/** A spec from YAML, of which JSON is a part. */
export function readYaml(text: string): Read {
  if (text.trim() === '') return { spec: {} };
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) return { fault: error.message };
  let spec: unknown;
  try {
    spec = document.toJS();
  } catch (unresolved) {
    // A * begins the name of an alias: what it stands for is looked up only here.
    return { fault: `${(unresolved as Error).message}. Text that begins with * needs quotes, such as "*.pt".` };
  }
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec))
    return { fault: 'A spec is a list of fields with values, such as name: my-job.' };
  return { spec: spec as Spec };
}
