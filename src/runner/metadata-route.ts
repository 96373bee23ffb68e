import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { systemProgram } from './system-program.ts';

/** Where clouds tell a machine its credentials. */
const addresses = [
  ['-4', '169.254.169.254'],
  ['-6', 'fd20:ce::254'],
  ['-6', 'fd00:ec2::254'],
] as const;

/** All ports of TCP but that of names: on Compute Engine the same address is the name server. */
const ports = ['1-52', '54-65534'];

/**
 * Leaves the job's uid no way to the metadata address, in whichever namespace it runs, as long as it shares the machine's
 * network. Needs root and `ip`. Answers whether the way is barred. A rule that outlives the runner binds only this uid.
 */
export async function barMetadata(uid: number): Promise<boolean> {
  // Those of a runner that was killed would pile up: the kernel keeps equal rules side by side.
  await editRules('del', uid);
  return editRules('add', uid);
}

export async function unbarMetadata(uid: number): Promise<void> {
  await editRules('del', uid);
}

async function editRules(verb: 'add' | 'del', uid: number): Promise<boolean> {
  const ip = systemProgram('ip');
  if (ip === undefined || process.getuid?.() !== 0) return false;
  const results = await Promise.all(
    addresses.flatMap(([family, address]) =>
      ports.map(async (range) => {
        const rule = ['to', address, 'uidrange', `${uid}-${uid}`, 'ipproto', 'tcp', 'dport', range, 'prohibit'];
        const isDone = await promisify(execFile)(ip, [family, 'rule', verb, ...rule], { env: {} }).then(
          () => true,
          (error: { stderr?: string }) => error.stderr?.includes('File exists') === true,
        );
        return family === '-6' || isDone;
      }),
    ),
  );
  return results.every(Boolean);
}
