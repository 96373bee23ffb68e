import type { Clients } from '../../../src/providers/gcp/clients.ts';
import type { QueuedResource } from '../../../src/providers/gcp/slice-body.ts';

type Request = {
  name?: string;
  parent?: string;
  queuedResourceId?: string;
  queuedResource?: QueuedResource;
  force?: boolean;
};

/** An error as Google's client throws it. */
function rpcError(code: number, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** The part of Cloud TPU that slices need, in memory: a request goes through the states that a test names. */
export function createScriptedTpu() {
  const resources = new Map<string, QueuedResource>();
  const calls: string[] = [];
  let states: QueuedResource['state'][] = [];
  const found = (name: string): QueuedResource => {
    const resource = resources.get(name);
    if (resource === undefined) throw rpcError(5, `Resource '${name}' was not found`);
    return resource;
  };
  const client = {
    createQueuedResource: async ({ parent, queuedResourceId, queuedResource }: Request) => {
      calls.push('create');
      const name = `${parent}/queuedResources/${queuedResourceId}`;
      if (resources.has(name)) throw rpcError(6, `Resource '${name}' already exists`);
      resources.set(name, { ...queuedResource, name, state: { state: 'ACCEPTED' } });
      return [{}];
    },
    getQueuedResource: async ({ name = '' }: Request) => {
      calls.push('get');
      const resource = found(name);
      const state = states.shift();
      if (state !== undefined) resource.state = state;
      return [resource];
    },
    deleteQueuedResource: async ({ name = '', force }: Request) => {
      calls.push(`delete${force === true ? ' with its nodes' : ''}`);
      found(name);
      resources.delete(name);
      return [{}];
    },
    getNode: async () => [{ createTime: { seconds: 1_800_000_000 } }],
    deleteNode: async ({ name }: Request) => {
      throw rpcError(5, `Resource '${name}' was not found`);
    },
    listQueuedResourcesAsync: async function* () {
      yield* resources.values();
    },
    listNodesAsync: async function* () {
      yield* [];
    },
  };
  return {
    calls,
    resources,
    /** The next looks at a request find it in these states, one after the other. */
    willBe: (...next: NonNullable<QueuedResource['state']>[]) => void (states = next),
    clients: async () => ({ tpu: async () => client }) as unknown as Clients,
  };
}
