import { createHash } from 'node:crypto';
import { lookup } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Assignment } from '../protocol/runner.ts';
import { openHttp } from './http-call.ts';
import { createFile } from './inside.ts';
import { backOff, isPassing } from './retry.ts';
import { DiskFull, isDiskFull, type Room } from './room.ts';

export type Download = Assignment['inputs'][number];

const idleTimeoutMs = 60_000;
const maxRedirects = 5;
/** Of a server that is not the broker. */
const maxFailures = 6;
/** Bytes may be spoilt on the way, but hardly twice: then they are stored so. */
const maxMismatches = 2;

/** Will not come, whatever is done: the message says what the server said, and `status` where it said no. */
export class Unavailable extends Error {
  readonly status: number | undefined;
  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/** May go well the next time. */
class Passing extends Error {}

/** All bytes came, and they are not those that were declared. */
class ChecksumMismatch extends Unavailable {}

/** Instance metadata, which holds the machine's credentials: a tenant could name it as an input. */
const metadataAddresses = new BlockList();
metadataAddresses.addSubnet('169.254.0.0', 16, 'ipv4');
metadataAddresses.addAddress('fd20:ce::254', 'ipv6');
metadataAddresses.addAddress('fd00:ec2::254', 'ipv6');

function isMetadata(address: string): boolean {
  return metadataAddresses.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

const safeLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, []);
    const forbidden = addresses.find(({ address }) => isMetadata(address));
    if (forbidden !== undefined)
      return callback(
        new Unavailable(`${hostname} leads to the metadata address ${forbidden.address}, which is not given to jobs`),
        [],
      );
    const [first] = addresses;
    return options.all === true || first === undefined
      ? callback(null, addresses)
      : callback(null, first.address, first.family);
  });
};

export type Fetching = {
  brokerUrl: string;
  room: Room;
  signal: AbortSignal;
  /** Of each request, but not of those that it is redirected to. */
  headers?: () => Promise<Record<string, string>>;
};

/**
 * Streams what is at the URL into a file; answers its size.
 * @throws Unavailable, DiskFull
 */
export function downloadTo(path: string, download: Download, fetching: Fetching): Promise<number> {
  return persistently(download.url, fetching, (answer) => save(answer, path, download, fetching));
}

/** @throws Unavailable */
export function fetchText(url: string, fetching: Fetching): Promise<string> {
  return persistently(url, fetching, (answer) =>
    text(answer).catch((error: unknown) => {
      throw new Passing(`the connection broke: ${messageOf(error)}`);
    }),
  );
}

/** The broker is waited for without limit, others are asked a few times. */
async function persistently<T>(
  address: string,
  fetching: Fetching,
  read: (answer: IncomingMessage) => Promise<T>,
): Promise<T> {
  const { brokerUrl, signal } = fetching;
  const url = httpUrl(address, brokerUrl);
  const isBroker = url.origin === new URL(brokerUrl).origin;
  let mismatches = 0;
  for (let failures = 0; ; failures++) {
    try {
      return await read(await request(url, fetching));
    } catch (error) {
      signal.throwIfAborted();
      const isFinal = error instanceof ChecksumMismatch ? ++mismatches >= maxMismatches : !(error instanceof Passing);
      if (isFinal) throw error;
      if (!isBroker && failures + 1 >= maxFailures) throw new Unavailable(messageOf(error));
    }
    await backOff(failures, signal);
  }
}

/** @throws Unavailable where repeating is no use, else Passing */
async function request(url: URL, { signal, headers }: Fetching): Promise<IncomingMessage> {
  const answer = await follow(url, signal, await headers?.()).catch((error: unknown) => {
    throw error instanceof Unavailable ? error : new Passing(messageOf(error));
  });
  const status = answer.statusCode ?? 0;
  if (status === 200) return answer;
  answer.destroy();
  if (isPassing(status)) throw new Passing(`the server answered HTTP ${status}`);
  throw new Unavailable(`the server answered HTTP ${status}${statusHint(status)}`, status);
}

async function save(
  answer: IncomingMessage,
  path: string,
  { sha256: declared }: Download,
  { room, signal }: Fetching,
): Promise<number> {
  const hash = createHash('sha256');
  const file = await createFile(path);
  let sizeBytes = 0;
  const measure = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      if (!room.take(chunk.length)) throw new DiskFull();
      sizeBytes += chunk.length;
      hash.update(chunk);
      yield chunk;
    }
  };
  try {
    await pipeline(answer, measure, file.createWriteStream(), { signal });
    const sha256 = hash.digest('hex');
    if (declared === null || sha256 === declared) return sizeBytes;
    throw new ChecksumMismatch(
      `its bytes have the SHA-256 ${sha256}, and ${declared} was declared; upload it again with the right one`,
    );
  } catch (error) {
    room.giveBack(sizeBytes);
    if (isDiskFull(error) || error instanceof Unavailable) throw error;
    throw new Passing(`the connection broke: ${messageOf(error)}`);
  }
}

async function follow(first: URL, signal: AbortSignal, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  let url = first;
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0 && isMetadata(url.hostname.replace(/^\[|\]$/g, ''))) {
      throw new Unavailable('the metadata address is not given to jobs');
    }
    const own = url === first ? headers : {};
    const answer = await openHttp({ method: 'GET', url, headers: own, idleTimeoutMs, signal, lookup: safeLookup });
    const { location } = answer.headers;
    if (location === undefined || ![301, 302, 303, 307, 308].includes(answer.statusCode ?? 0)) return answer;
    answer.destroy();
    url = httpUrl(location, url.href);
  }
  throw new Unavailable(`it redirects more than ${maxRedirects} times`);
}

function httpUrl(address: string, base: string): URL {
  const url = new URL(address, base);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Unavailable(`${url.protocol}// can't be fetched; use https://, gs:// or weir://`);
  return url;
}

function statusHint(status: number): string {
  if (status === 401 || status === 403) return ': it is not public, give a signed URL or upload it to weir';
  return status === 404 || status === 410 ? ': there is nothing at this address' : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
