import { WeirError } from '../../src/core/errors.ts';
import type { InstanceRequest, Provider, SeenInstance } from '../../src/providers/provider.ts';

/** What goes wrong with the next call of a kind. `killed`: whoever called died, once before and once after the deed. */
export type Fault = 'no-capacity' | 'unavailable' | 'made-but-unavailable' | 'killed-before' | 'killed-after' | 'slow';

export type Call = 'create' | 'destroy' | 'list';

/** In the place of the caller's death: nobody catches it. */
export class Killed extends Error {}

export type ScriptedProvider = Provider & {
  machines: Map<string, SeenInstance & { bootstrapToken: string }>;
  /** The next such call goes wrong in this way, or is answered with this error. */
  fail: (call: Call, fault: Fault | WeirError) => void;
  heal: () => void;
  /** Machines asked to end that go on for a while are gone at once. */
  finishEnding: () => void;
  lingers: boolean;
  vanish: (name: string) => void;
  /** What it answers when it is asked when a machine ended. */
  ends: Map<string, Date>;
  /** Lets calls that are slow go on. */
  release: () => void;
  /** Resolves when the next call begins to be slow. */
  whenSlow: () => Promise<void>;
};

/** A cloud in memory that does as a test says. */
export function createScriptedProvider(): ScriptedProvider {
  const machines: ScriptedProvider['machines'] = new Map();
  const ending = new Set<string>();
  const faults: Record<Call, (Fault | WeirError)[]> = { create: [], destroy: [], list: [] };
  const slow: (() => void)[] = [];
  const watching: (() => void)[] = [];

  const carryOut = async <T>(call: Call, deed: () => T): Promise<T> => {
    let fault = faults[call].shift();
    if (fault === 'slow') {
      await new Promise<void>((resolve) => {
        slow.push(resolve);
        for (const tell of watching.splice(0)) tell();
      });
      // What went wrong with it shows when it comes back.
      fault = faults[call].shift();
    }
    if (fault instanceof WeirError) throw fault;
    if (fault === 'killed-before') throw new Killed();
    if (fault === 'no-capacity') throw new WeirError('no-capacity', 'There is none left.');
    if (fault === 'unavailable') throw new WeirError('unavailable', 'The cloud is away.');
    const result = deed();
    if (fault === 'killed-after') throw new Killed();
    if (fault === 'made-but-unavailable') throw new WeirError('unavailable', 'The answer was lost.');
    return result;
  };
  const finishEnding = (): void => {
    for (const name of ending) machines.delete(name);
    ending.clear();
  };
  const release = (): void => {
    for (const resume of slow.splice(0)) resume();
  };

  const provider: ScriptedProvider = {
    name: 'scripted',
    isolatesTenants: true,
    machines,
    lingers: false,
    sellables: async () => [],
    capacity: async () => undefined,
    create: ({ name, zone, labels, bootstrapToken }: InstanceRequest) =>
      carryOut('create', () => {
        if (!machines.has(name)) machines.set(name, { name, zone, labels, bootstrapToken });
        return undefined;
      }),
    destroy: ({ name }) =>
      carryOut('destroy', () => {
        if (machines.has(name)) ending.add(name);
        if (!provider.lingers) finishEnding();
      }),
    ends: new Map(),
    endedAt: async ({ name }) => provider.ends.get(name),
    list: () => carryOut('list', () => [...machines.values()]),
    close: async () => undefined,
    fail: (call, fault) => void faults[call].push(fault),
    heal: () => {
      for (const queue of Object.values(faults)) queue.length = 0;
      provider.lingers = false;
      finishEnding();
      release();
    },
    finishEnding,
    release,
    whenSlow: () => new Promise<void>((resolve) => watching.push(resolve)),
    vanish: (name) => void machines.delete(name),
  };
  return provider;
}
