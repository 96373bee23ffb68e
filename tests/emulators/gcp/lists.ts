import { invalidValue, type ApiError } from './errors.ts';
import type { Json } from './messages.ts';

type Query = Record<string, string>;

/** One page of what the filter leaves, in the order of names, as every `list` of Compute Engine. */
export function page(items: readonly Json[], query: Query): { items: Json[]; nextPageToken?: string } {
  const matches = compileFilter(query['filter'] ?? '');
  const limit = Number(query['maxResults'] ?? 500);
  if (!Number.isInteger(limit) || limit < 0 || limit > 500)
    throw invalidValue('maxResults', query['maxResults'] ?? '', 'Values must be within the range: [0, 500]');
  const after = query['pageToken'] === undefined ? '' : Buffer.from(query['pageToken'], 'base64url').toString();
  const rest = items
    .filter(matches)
    .map((item) => ({ item, key: keyOf(item) }))
    .filter(({ key }) => key > after)
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const shown = limit === 0 ? rest : rest.slice(0, limit);
  const last = shown.at(-1);
  const nextPageToken =
    shown.length < rest.length && last !== undefined ? Buffer.from(last.key).toString('base64url') : undefined;
  return { items: shown.map(({ item }) => item), ...(nextPageToken === undefined ? {} : { nextPageToken }) };
}

function keyOf(item: Json): string {
  return String(item['selfLink'] ?? item['name']);
}

/** One page over all scopes; those without anything say so, as `aggregatedList` does. */
export function aggregatedPage(
  kind: string,
  scopes: readonly string[],
  byScope: (scope: string) => readonly Json[],
  query: Query,
): { items: Json; nextPageToken?: string } {
  const scopeOf = new Map<Json, string>();
  for (const scope of scopes) for (const item of byScope(scope)) scopeOf.set(item, scope);
  const { items, nextPageToken } = page([...scopeOf.keys()], query);
  const shown: Json = {};
  for (const scope of scopes) {
    const own = items.filter((item) => scopeOf.get(item) === scope);
    shown[scope] = own.length > 0 ? { [kind]: own } : nothingIn(scope);
  }
  return { items: shown, ...(nextPageToken === undefined ? {} : { nextPageToken }) };
}

function nothingIn(scope: string): Json {
  return {
    warning: {
      code: 'NO_RESULTS_ON_PAGE',
      message: `There are no results for scope '${scope}' on this page.`,
      data: [{ key: 'scope', value: scope }],
    },
  };
}

type Test = (item: Json) => boolean;

/**
 * The filter language of Compute Engine's lists, in what is used of it: `field=value`, `!=`, `:`, `eq` and `ne` with a regular
 * expression, parentheses, `AND`, `OR`, and one after another for AND.
 * @throws ApiError 400 as Google answers a filter that it can't read.
 */
function compileFilter(filter: string): Test {
  const tokens = filter.match(/\(|\)|"[^"]*"|!=|=|:|[^\s()=!:"]+/g) ?? [];
  let at = 0;

  const disjunction = (): Test => {
    const tests = [conjunction()];
    while (tokens[at] === 'OR') {
      at += 1;
      tests.push(conjunction());
    }
    return (item) => tests.some((test) => test(item));
  };
  const conjunction = (): Test => {
    const tests = [term()];
    while (at < tokens.length && tokens[at] !== ')' && tokens[at] !== 'OR') {
      if (tokens[at] === 'AND') at += 1;
      tests.push(term());
    }
    return (item) => tests.every((test) => test(item));
  };
  const term = (): Test => {
    if (tokens[at] !== '(') return comparison();
    at += 1;
    const inner = disjunction();
    if (tokens[at] !== ')') throw unreadable(filter);
    at += 1;
    return inner;
  };
  const comparison = (): Test => {
    const [field, operator, value] = tokens.slice(at, at + 3);
    if (field === undefined || operator === undefined || value === undefined) throw unreadable(filter);
    at += 3;
    return compare(field, operator, value.replaceAll('"', ''), filter);
  };

  if (tokens.length === 0) return () => true;
  const test = disjunction();
  if (at < tokens.length) throw unreadable(filter);
  return test;
}

function compare(field: string, operator: string, value: string, filter: string): Test {
  const read = (item: Json) => valueAt(item, field);
  switch (operator) {
    case '=':
      return (item) => read(item) === value;
    case '!=':
      return (item) => read(item) !== value;
    case ':':
      return (item) => (value === '*' ? read(item) !== undefined : (read(item)?.includes(value) ?? false));
    case 'eq':
      return (item) => new RegExp(`^(?:${value})$`).test(read(item) ?? '');
    case 'ne':
      return (item) => !new RegExp(`^(?:${value})$`).test(read(item) ?? '');
    default:
      throw unreadable(filter);
  }
}

function valueAt(item: Json, field: string): string | undefined {
  let value: unknown = item;
  for (const key of field.split('.')) value = (value as Json | undefined)?.[key];
  if (typeof value === 'string') return value;
  return typeof value === 'boolean' || typeof value === 'number' ? String(value) : undefined;
}

function unreadable(filter: string): ApiError {
  return invalidValue('filter', filter, 'Invalid list filter expression.');
}
