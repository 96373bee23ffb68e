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
  let from = 0;
  for (;;) {
    const match = firstMatch(data, needles, from);
    const pending = isEnd ? data.length : startOfPending(data, needles, from);
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

function firstMatch(data: Buffer, needles: Buffer[], from: number): { at: number; length: number } | undefined {
  let first: { at: number; length: number } | undefined;
  for (const needle of needles) {
    const at = data.indexOf(needle, from);
    if (at !== -1 && (first === undefined || at < first.at)) first = { at, length: needle.length };
  }
  return first;
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

/** What is masked of a secret: the whole, and each of its longer lines, since tools print keys line by line. */
export function maskedTexts(secrets: Record<string, string>): string[] {
  const minLineLength = 8;
  return Object.values(secrets).flatMap((secret) => {
    const lines = secret.split(/\r?\n/);
    return lines.length === 1 ? [secret] : [secret, ...lines.filter((line) => line.trim().length >= minLineLength)];
  });
}
