import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { systemProgram } from './system-program.ts';

export const metadataAddress = '169.254.169.254';

/** Where clouds tell a machine its credentials. */
const addresses = [
  ['-4', metadataAddress],
  ['-6', 'fd20:ce::254'],
  ['-6', 'fd00:ec2::254'],
] as const;

/** All ports of TCP but that of names: on Compute Engine the same address is the name server. */
const ports = ['1-52', '54-65534'];

/** Before any rule that sends packets somewhere: 0 is the kernel's own. In this order. */
const priorities = { uid: '901', own: '902', forwarded: '903' };

/** A rule of the kernel's routing, as `ip rule` takes it. */
type Rule = { family: '-4' | '-6'; selector: string[] };

/**
 * Leaves the job's uid no way to the metadata address, in whichever namespace it runs, as long as it shares the machine's
 * network. `isOwnMachine`: nor anything whose packets the machine forwards, as a container engine's networks; those are not told
 * by a uid. Firewall rules would do the same until the engine next writes its own before them. Needs root and `ip`. Answers
 * whether the way is barred. Rules that outlive the runner bind only this uid, or a machine that ends with it.
 */
export async function barMetadata(uid: number, isOwnMachine: boolean): Promise<boolean> {
  const rules = [...uidRules(uid), ...(isOwnMachine ? forwardingRules() : [])];
  // Those of a runner that was killed would pile up: the kernel keeps equal rules side by side.
  await editRules('del', rules);
  return editRules('add', rules);
}

export async function unbarMetadata(uid: number): Promise<void> {
  await editRules('del', uidRules(uid));
}

function uidRules(uid: number): Rule[] {
  return addresses.flatMap(([family, address]) =>
    prohibited(family, address, priorities.uid, ['uidrange', `${uid}-${uid}`]),
  );
}

/** What the machine itself sends goes on by its main table, so that only what it forwards comes to the second rule. */
function forwardingRules(): Rule[] {
  return addresses.flatMap(([family, address]) => [
    { family, selector: ['priority', priorities.own, 'iif', 'lo', 'to', address, 'lookup', 'main'] },
    ...prohibited(family, address, priorities.forwarded, []),
  ]);
}

function prohibited(family: Rule['family'], address: string, priority: string, who: string[]): Rule[] {
  return ports.map((range) => ({
    family,
    selector: ['priority', priority, 'to', address, ...who, 'ipproto', 'tcp', 'dport', range, 'prohibit'],
  }));
}

/** True where all are as asked; a machine without IPv6 has no way there that would have to be barred. */
async function editRules(verb: 'add' | 'del', rules: Rule[]): Promise<boolean> {
  const ip = systemProgram('ip');
  if (ip === undefined || process.getuid?.() !== 0) return false;
  const results = await Promise.all(
    rules.map(async ({ family, selector }) => {
      const isDone = await promisify(execFile)(ip, [family, 'rule', verb, ...selector], { env: {} }).then(
        () => true,
        (error: { stderr?: string }) => error.stderr?.includes('File exists') === true,
      );
      return family === '-6' || isDone;
    }),
  );
  return results.every(Boolean);
}
