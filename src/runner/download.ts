import { createHash } from 'node:crypto';
import { lookup } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Assignment } from '../protocol/runner.ts';
import { openHttp } from './http-call.ts';
import { createFile } from './inside.ts';
import { backOff, isPassing } from './retry.ts';

export type Download = Assignment['inputs'][number];

const idleTimeoutMs = 60_000;
const maxRedirects = 5;
/** Of a server that is not the broker. */
const maxFailures = 6;
/** Bytes may be spoilt on the way, but hardly twice: then they are stored so. */
const maxMismatches = 2;

/** Will not come, whatever is done: the message says what the server said. */
export class Unavailable extends Error {}

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

/**
 * Streams what is at the URL into a file. The broker is waited for without limit, others are asked a few times.
 * @throws Unavailable
 */
export async function downloadTo(
  path: string,
  download: Download,
  brokerUrl: string,
  signal: AbortSignal,
): Promise<void> {
  const url = httpUrl(download.url, brokerUrl);
  const isBroker = url.origin === new URL(brokerUrl).origin;
  let mismatches = 0;
  for (let failures = 0; ; failures++) {
    try {
      const fault = await attemptDownload(url, path, download, signal);
      if (fault === undefined) return;
      if (!isBroker && failures + 1 >= maxFailures) throw new Unavailable(fault);
    } catch (error) {
      if (!(error instanceof ChecksumMismatch) || ++mismatches >= maxMismatches) throw error;
    }
    await backOff(failures, signal);
  }
}

/** Undefined when it is there; else what went wrong this time. @throws Unavailable where repeating is no use */
async function attemptDownload(
  url: URL,
  path: string,
  download: Download,
  signal: AbortSignal,
): Promise<string | undefined> {
  let answer: IncomingMessage;
  try {
    answer = await follow(url, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Unavailable) throw error;
    return messageOf(error);
  }
  const status = answer.statusCode ?? 0;
  if (status !== 200) {
    answer.destroy();
    if (!isPassing(status)) throw new Unavailable(`the server answered HTTP ${status}${statusHint(status)}`);
    return `the server answered HTTP ${status}`;
  }
  return save(answer, path, download, signal);
}

async function save(
  answer: IncomingMessage,
  path: string,
  download: Download,
  signal: AbortSignal,
): Promise<string | undefined> {
  const hash = createHash('sha256');
  const file = await createFile(path);
  const measure = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(answer, measure, file.createWriteStream(), { signal });
  } catch (error) {
    signal.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw error;
    return `the connection broke: ${messageOf(error)}`;
  }
  const sha256 = hash.digest('hex');
  if (download.sha256 === null || sha256 === download.sha256) return undefined;
  throw new ChecksumMismatch(
    `its bytes have the SHA-256 ${sha256}, and ${download.sha256} was declared; upload it again with the right one`,
  );
}

async function follow(first: URL, signal: AbortSignal): Promise<IncomingMessage> {
  let url = first;
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0 && isMetadata(url.hostname.replace(/^\[|\]$/g, ''))) {
      throw new Unavailable('the metadata address is not given to jobs');
    }
    const answer = await openHttp({ method: 'GET', url, idleTimeoutMs, signal, lookup: safeLookup });
    const { location } = answer.headers;
    if (location === undefined || ![301, 302, 303, 307, 308].includes(answer.statusCode ?? 0)) return answer;
    answer.destroy();
    url = httpUrl(location, url.href);
  }
  throw new Unavailable(`it redirects more than ${maxRedirects} times`);
}

/** `gs://` objects are read as anyone may read them; private ones need a signed URL. */
function httpUrl(text: string, base: string): URL {
  const gs = /^gs:\/\/([^/]+)\/(.+)$/.exec(text);
  const url =
    gs === null
      ? new URL(text, base)
      : new URL(`https://storage.googleapis.com/${gs[1]}/${gs[2]?.split('/').map(encodeURIComponent).join('/')}`);
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
