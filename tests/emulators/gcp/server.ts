import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { checkRequest, matchMethod, responseFault, type Matched } from './discovery.ts';
import type { Json } from './messages.ts';
import { ApiError, errorBody, serviceDisabled } from './errors.ts';
import type { Fate } from './faults.ts';
import { permissionsOf } from './permissions.ts';
import { numericEnums, withNumericEnums } from './tpu/numeric-enums.ts';
import type { Call, Handlers, World } from './world.ts';

/** One call as Google's audit log would have it. */
export type SeenCall = {
  method: string;
  permissions: string[];
  principal: string;
  resource: string;
  status: number;
  atMs: number;
};

export type ApiServer = {
  url: () => string;
  calls: SeenCall[];
  /** Answers that Google's schemas do not allow: faults of the emulator itself. */
  schemaFaults: string[];
  close: () => Promise<void>;
};

/** The HTTP side: finds the method, checks who asks and what, answers, and looks at every answer as closely as at the question. */
export async function serveApi(world: () => World, handlers: () => Handlers, port: number): Promise<ApiServer> {
  const calls: SeenCall[] = [];
  const schemaFaults: string[] = [];
  const server = createServer((request, response) => void respond(request, response));

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://googleapis');
    const text = await bodyOf(request);
    try {
      const answer = await answerCall(request, url, text);
      if (answer === undefined) response.destroy();
      else send(response, 200, answer);
    } catch (error) {
      const known = error instanceof ApiError ? error : new ApiError(500, 'internalError', String(error));
      if (!(error instanceof ApiError)) schemaFaults.push(error instanceof Error ? (error.stack ?? '') : String(error));
      const { retryAfterSeconds } = known.more;
      if (retryAfterSeconds !== undefined) response.setHeader('retry-after', retryAfterSeconds);
      send(response, known.status, errorBody(url.pathname.startsWith('/v2/') ? 'tpu' : 'compute', known));
    }
  };

  const answerCall = async (request: IncomingMessage, url: URL, text: string): Promise<Json | undefined> => {
    const { tokens, project } = world();
    const credential = tokens.answer(url.pathname, text, request.headers);
    if (credential !== undefined) return credential;
    const matched = matchMethod(request.method ?? 'GET', url.pathname);
    if (matched === undefined)
      throw new ApiError(404, 'notFound', `The emulator does not speak ${request.method} ${url.pathname}.`);
    const { method } = matched;
    const call: SeenCall = {
      method: method.id,
      permissions: permissionsOf(method.id),
      principal: '',
      resource: decodeURIComponent(url.pathname),
      status: 200,
      atMs: Date.now(),
    };
    calls.push(call);
    try {
      call.principal = tokens.principal(request.headers);
      return await carryOut({ matched, url, text, principal: call.principal }, `projects/${project}`);
    } catch (error) {
      call.status = error instanceof ApiError ? error.status : 500;
      throw error;
    }
  };

  type Asked = { matched: Matched; url: URL; text: string; principal: string };

  const carryOut = async ({ matched, url, text, principal }: Asked, resource: string): Promise<Json | undefined> => {
    const { method, params } = matched;
    const { faults, permissions, projectNumber } = world();
    if (faults.isDisabled(method.service)) throw serviceDisabled(method.service, projectNumber);
    permissions.check(principal, permissionsOf(method.id), resource);
    const fate = await faults.before(method.id, params['zone'] ?? params['location']);
    if (fate.is === 'lose-call') return undefined;
    const body = text === '' ? {} : (JSON.parse(text) as Json);
    checkRequest(method, url.searchParams, body);
    const handle = handlers()[method.id];
    if (handle === undefined) throw new Error(`No handler for ${method.id}.`);
    const query = Object.fromEntries(url.searchParams);
    const call: Call = { method: method.id, params, query, body, principal };
    const answer = await unlessLost(fate, () => handle(call));
    if (answer === undefined) return undefined;
    const fault = responseFault(method, answer);
    if (fault !== undefined) throw new Error(fault);
    await fate.act?.();
    if (fate.is === 'lose-answer') return undefined;
    return url.searchParams.get('$alt') === numericEnums ? withNumericEnums(method.message, answer) : answer;
  };

  await listen(server, port);
  return {
    calls,
    schemaFaults,
    url: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A refusal is an answer too, and is lost as one. */
async function unlessLost(fate: Fate, handle: () => Json | Promise<Json>): Promise<Json | undefined> {
  try {
    return await handle();
  } catch (error) {
    if (fate.is !== 'lose-answer' || !(error instanceof ApiError)) throw error;
    await fate.act?.();
    return undefined;
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function send(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' }).end(JSON.stringify(body));
}
