import { parseDocument, stringify } from 'yaml';
import type { Spec } from './spec-path.ts';

const storedAs = 'weir.submit';

/** What is typed, kept as long as the tab lives. */
export function keptText(): string {
  return sessionStorage.getItem(storedAs) ?? '';
}

export function keepText(text: string): void {
  if (text === '') sessionStorage.removeItem(storedAs);
  else sessionStorage.setItem(storedAs, text);
}

export function yamlOf(spec: Spec): string {
  return Object.keys(spec).length === 0 ? '' : stringify(spec, { lineWidth: 0 });
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
