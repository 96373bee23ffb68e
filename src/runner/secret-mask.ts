const mask = Buffer.from('***');
const nothing = Buffer.alloc(0);

/** Replaces secrets in a stream of bytes, wherever the stream is cut. */
export type SecretMask = {
  /** What of the stream so far can be shown. Holds back an end that may be the start of a secret. */
  feed: (chunk: Buffer) => Buffer;
  /** What was held back, at the end of the stream. */
  end: () => Buffer;
};

/** The leftmost secret wins, and of those that start together the longest. */
export function createSecretMask(secrets: Iterable<string>): SecretMask {
  const needles = [...new Set(secrets)]
    .filter((secret) => secret !== '')
    .map((secret) => Buffer.from(secret))
    .sort((a, b) => b.length - a.length);
  if (needles.length === 0) return { feed: (chunk) => chunk, end: () => nothing };
  let held = nothing;
  return {
    feed: (chunk) => {
      const { shown, rest } = replace(held.length === 0 ? chunk : Buffer.concat([held, chunk]), needles, false);
      held = Buffer.from(rest);
      return shown;
    },
    end: () => {
      const { shown } = replace(held, needles, true);
      held = nothing;
      return shown;
    },
  };
}

function replace(data: Buffer, needles: Buffer[], isEnd: boolean): { shown: Buffer; rest: Buffer } {
  const parts: Buffer[] = [];
  const firstMatch = createFinder(data, needles);
  let pending = isEnd ? data.length : startOfPending(data, needles, 0);
  for (let from = 0; ;) {
    const match = firstMatch(from);
    if (pending < from) pending = startOfPending(data, needles, from);
    // A longer secret may still start where this one does, or before it.
    if (match === undefined || pending <= match.at) {
      parts.push(data.subarray(from, pending));
      return {
        shown: parts.length === 1 ? data.subarray(from, pending) : Buffer.concat(parts),
        rest: data.subarray(pending),
      };
    }
    parts.push(data.subarray(from, match.at), mask);
    from = match.at + match.length;
  }
}

/** Finds the first secret from a place on, which only moves forward: where each was found last is remembered. */
function createFinder(data: Buffer, needles: Buffer[]) {
  const found = needles.map((needle) => ({ needle, at: -1 }));
  return (from: number): { at: number; length: number } | undefined => {
    let first: { at: number; length: number } | undefined;
    for (const next of found) {
      if (next.at < from) {
        const at = data.indexOf(next.needle, from);
        next.at = at === -1 ? Infinity : at;
      }
      if (next.at < (first?.at ?? Infinity)) first = { at: next.at, length: next.needle.length };
    }
    return first;
  };
}

/** Where the earliest end of the data starts that is a beginning of a secret. */
function startOfPending(data: Buffer, needles: Buffer[], from: number): number {
  let earliest = data.length;
  for (const needle of needles) {
    const start = Math.max(from, data.length - needle.length + 1);
    let at = data.indexOf(needle.subarray(0, 1), start);
    while (at !== -1 && at < earliest) {
      if (data.compare(needle, 0, data.length - at, at) === 0) earliest = at;
      at = data.indexOf(needle.subarray(0, 1), at + 1);
    }
  }
  return earliest;
}

/** Shorter ones are found by chance in what is no secret. */
const minPartLength = 8;
const minValueLength = 16;

/**
 * What is masked of a secret: the whole, each of its longer lines, since tools print keys line by line, and the values within it where it is
 * JSON; each also as an environment gets printed, and the whole as it is sent in a URL or in base64.
 */
export function maskedTexts(secrets: Record<string, string>): string[] {
  return Object.values(secrets).flatMap((secret) => {
    const texts = [secret, ...valuesIn(secret)].flatMap((text) => [text, ...linesOf(text)]);
    const encoded =
      secret.length < minPartLength ? [] : [encodeURIComponent(secret.toWellFormed()), ...base64Of(secret)];
    return [...texts.flatMap((text) => [text, ...escaped(text)]), ...encoded];
  });
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return lines.length === 1 ? [] : lines.filter((line) => line.length >= minPartLength);
}

/** Of a key file such as Google's; what is an address in it is public. */
function valuesIn(secret: string): string[] {
  const values: string[] = [];
  try {
    JSON.parse(secret, (_name, value: unknown) => {
      if (typeof value === 'string' && value.length >= minValueLength && !/^https?:/.test(value)) values.push(value);
    });
  } catch {
    return [];
  }
  return values;
}

/** As JSON, and as JavaScript and Python show strings in single quotes. */
function escaped(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  return [json, json.replaceAll('\\"', '"')];
}

/** What is the same wherever the secret lies in what is encoded, since base64 takes three bytes at a time. */
function base64Of(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].map((start) => bytes.toString('base64', start, bytes.length - ((bytes.length - start) % 3)));
}
