import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import net, { type AddressInfo } from 'node:net';

export type Tree = { [key: string]: string | Tree };

export type MetadataServer = {
  /** Where it listens, for GCE_METADATA_HOST. */
  host: string;
  /** Wakes those who wait for a change. */
  changed: () => void;
  close: () => Promise<void>;
};

type Content = {
  /** Everything below /computeMetadata/v1/, as it is now. */
  tree: () => Tree;
  token: (account: string) => object | undefined;
};

const root = '/computeMetadata/v1/';

/** What Compute Engine's metadata server answers to one instance. `socket`: it listens there as well. */
export async function startMetadataServer(content: Content, socket?: string): Promise<MetadataServer> {
  const changes = new EventEmitter();
  changes.setMaxListeners(0);
  const server = createServer((request, response) => void respond(request, response, content, changes));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const second = socket === undefined ? undefined : await listenAt(socket, server);
  return {
    host: `127.0.0.1:${port}`,
    changed: () => void changes.emit('change'),
    close: async () => {
      second?.close();
      await closeServer(server);
    },
  };
}

async function listenAt(path: string, server: Server): Promise<net.Server> {
  const second = net.createServer((connection) => server.emit('connection', connection));
  await new Promise<void>((resolve) => second.listen(path, resolve));
  return second;
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  content: Content,
  changes: EventEmitter,
): Promise<void> {
  response.setHeader('metadata-flavor', 'Google').setHeader('server', 'Metadata Server for VM');
  if (request.headers['metadata-flavor'] !== 'Google' || request.headers['x-forwarded-for'] !== undefined)
    return send(response, 403, 'text/html', 'Missing required header "Metadata-Flavor": "Google"');
  const url = new URL(request.url ?? '/', 'http://metadata.google.internal');
  if (!url.pathname.startsWith(root)) return send(response, 404, 'text/html', 'Not found');
  const path = decodeURIComponent(url.pathname.slice(root.length));
  const account = /^instance\/service-accounts\/([^/]+)\/token$/.exec(path)?.[1];
  if (account !== undefined) {
    const token = content.token(account);
    return token === undefined
      ? send(response, 404, 'text/html', 'Not found')
      : send(response, 200, 'application/json', JSON.stringify(token));
  }
  await waitForChange(url.searchParams, () => etagOf(find(content.tree(), path)), changes);
  answer(response, url, path, find(content.tree(), path));
}

function answer(response: ServerResponse, url: URL, path: string, found: string | Tree | undefined): void {
  if (found === undefined) return send(response, 404, 'text/html', 'Not found');
  response.setHeader('etag', etagOf(found));
  if (typeof found === 'string') return send(response, 200, 'application/text', found);
  if (url.searchParams.get('recursive') === 'true')
    return send(response, 200, 'application/json', JSON.stringify(camelCased(found)));
  if (path !== '' && !path.endsWith('/')) {
    response.setHeader('location', `${url.pathname}/${url.search}`);
    return send(response, 301, 'text/html', 'Moved');
  }
  const names = Object.entries(found).map(([name, value]) => (typeof value === 'string' ? name : `${name}/`));
  send(response, 200, 'application/text', names.map((name) => `${name}\n`).join(''));
}

async function waitForChange(query: URLSearchParams, etag: () => string, changes: EventEmitter): Promise<void> {
  if (query.get('wait_for_change') !== 'true') return;
  const before = query.get('last_etag') ?? etag();
  const seconds = Number(query.get('timeout_sec') ?? Infinity);
  const signal = Number.isFinite(seconds) ? AbortSignal.timeout(seconds * 1000) : undefined;
  while (etag() === before && signal?.aborted !== true)
    await once(changes, 'change', signal === undefined ? {} : { signal }).catch(() => undefined);
}

function find(tree: Tree, path: string): string | Tree | undefined {
  let found: string | Tree | undefined = tree;
  for (const name of path.split('/').filter((part) => part !== '')) {
    if (typeof found !== 'object' || !Object.hasOwn(found, name)) return undefined;
    found = found[name];
  }
  return found;
}

function etagOf(found: string | Tree | undefined): string {
  return createHash('sha256')
    .update(JSON.stringify(found ?? null))
    .digest('hex')
    .slice(0, 16);
}

/** Attributes keep the names that they were given. */
function camelCased(tree: Tree): Tree {
  return Object.fromEntries(
    Object.entries(tree).map(([name, value]) => [
      name.replace(/-([a-z])/g, (_all, letter: string) => letter.toUpperCase()),
      typeof value === 'string' || name === 'attributes' ? value : camelCased(value),
    ]),
  );
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
