import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { ConfigError, type Config } from '../../config.ts';
import type { Isolation } from '../../protocol/runner.ts';
import { lastUid } from './uids.ts';

const asUid = ['setpriv', `--reuid=${lastUid}`, `--regid=${lastUid}`, '--clear-groups', '--no-new-privs', '--'];

/** How all jobs of this machine are kept apart; `switchesUid`: each under a uid of its own. */
export type IsolationChoice = { kind: Isolation['kind']; switchesUid: boolean };

/**
 * Takes what the operator asked for, or the best there is.
 * @throws ConfigError where what was asked for does not work here.
 */
export async function chooseIsolation(wished: Config['local']['isolation'] = 'auto'): Promise<IsolationChoice> {
  const switchesUid = await canSwitchUid();
  switch (wished) {
    case 'none':
      return { kind: 'none', switchesUid: false };
    case 'user':
      if (switchesUid) return { kind: 'user', switchesUid };
      throw new ConfigError([
        `providers.local.isolation is "user", which needs weir to run as root with uids up to ${lastUid}; use "bubblewrap", or "auto".`,
      ]);
    case 'bubblewrap':
      if (await bubblewrapWorks(switchesUid)) return { kind: 'bubblewrap', switchesUid };
      throw new ConfigError([
        'providers.local.isolation is "bubblewrap", and `bwrap --ro-bind / / --unshare-pid true` fails here; install bubblewrap and allow user namespaces, or use "auto".',
      ]);
    case 'auto':
      if (await bubblewrapWorks(switchesUid)) return { kind: 'bubblewrap', switchesUid };
      return switchesUid ? { kind: 'user', switchesUid } : { kind: 'none', switchesUid };
  }
}

/** Said plainly at start. */
export function describeIsolation({ kind, switchesUid }: IsolationChoice): string {
  switch (kind) {
    case 'bubblewrap':
      return `Jobs on this machine run in bubblewrap: they see neither each other nor weir's files${switchesUid ? ', and each has a uid of its own.' : ". On a cloud's machine they can reach its metadata address, which only root can bar."}`;
    case 'user':
      return "Jobs on this machine run under a uid of their own each: they cannot read each other's files or weir's, but see that other processes exist and share its network. Install bubblewrap to hide those.";
    case 'none':
      return 'Jobs on this machine are NOT kept apart: a job can read all that weir can. Only one tenant is served here. Install bubblewrap, or run weir as root, to serve several.';
  }
}

/** Root, in no user namespace that lacks the uids that jobs get, and with the program that the runner changes to them by. */
async function canSwitchUid(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  const ranges = readFileSync('/proc/self/uid_map', 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const isMapped = ranges.some(([first = 0, , count = 0]) => first <= lastUid && lastUid < first + count);
  return isMapped && (await succeeds([...asUid, 'true']));
}

/** With all that the runner needs of it: what a container or a hardened kernel forbids shows here, not in a job. */
function bubblewrapWorks(switchesUid: boolean): Promise<boolean> {
  const namespaces = ['--unshare-pid', '--unshare-ipc', '--unshare-uts', ...(switchesUid ? [] : ['--unshare-user'])];
  const command = switchesUid ? [...asUid, 'unshare', '--user', '--map-current-user', '--', 'true'] : ['true'];
  return succeeds([
    'bwrap',
    ...namespaces,
    '--ro-bind',
    '/',
    '/',
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--',
    ...command,
  ]);
}

function succeeds([program = '', ...args]: string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore', cwd: '/', timeout: 10_000 });
    child.on('error', () => resolve(false));
    child.on('exit', (code) => resolve(code === 0));
  });
}
