import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Isolation } from '../protocol/runner.ts';
import { coversOf, type Cover } from './covers.ts';
import { systemProgram } from './system-program.ts';
import { Failure } from './verdict.ts';

export type Room = {
  isolation: Isolation;
  workDir: string;
  /** Becomes /tmp inside bubblewrap: on disk, so that it counts as disk and not as memory. */
  tmpDir: string;
  toolDirs: string[];
  memoryBytes: number;
  /** Of the machine's devices those that the job was given. */
  devices: string[];
  /** What of weir's own may lie in the system's directories. */
  hidden: string[];
};

/** What to start so that a command runs apart from the rest of the machine. */
export type Launch = {
  argv: string[];
  env: Record<string, string>;
  cwd: string;
  /** The uid to start it as; undefined: the runner's. */
  uid: number | undefined;
  /** Set where bubblewrap's waiting shell is what is started: it reads the job's environment from a descriptor. */
  environmentScript: string | undefined;
};

/** The waiting shell's descriptors: where it tells the command's status, what it waits for before it leaves, where the environment comes from. */
export const statusFd = 3;
export const releaseFd = 4;
export const environmentFd = 5;

/**
 * bubblewrap ends everything in its pid namespace with its first child. This shell is that child: it tells the command's
 * status and waits, so that processes that were left behind can be seen.
 */
const waitingShell = [
  'trap : TERM INT HUP',
  `exec 6>&2 2>/dev/null`,
  `echo started >&${statusFd}`,
  `( eval "$(cat <&${environmentFd})"; exec 2>&6 6>&- ${statusFd}>&- ${releaseFd}<&- ${environmentFd}<&-; exec "$@" )`,
  `echo $? >&${statusFd}`,
  `read -r _ <&${releaseFd}`,
].join('; ');

/** What the programs before the command see. As root they must not be led by a tenant's LD_PRELOAD or PATH. */
const wrapperEnvironment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

export function confine(room: Room, command: string[], env: Record<string, string>): Launch {
  const { isolation, workDir } = room;
  if (isolation.kind === 'none')
    return { argv: command, env, cwd: workDir, uid: undefined, environmentScript: undefined };
  if (isolation.kind === 'user')
    return {
      argv: [...withoutNewPrivileges(), ...command],
      env,
      cwd: workDir,
      uid: isolation.uid,
      environmentScript: undefined,
    };
  const inside = ['/bin/sh', '-c', waitingShell, 'weir', ...command];
  const identity =
    isolation.uid === null ? [] : [...asUid(isolation.uid), required('unshare'), '--user', '--map-current-user', '--'];
  return {
    argv: [
      required('bwrap'),
      ...namespaces(isolation.uid),
      ...mounts(room),
      '--chdir',
      workDir,
      '--',
      ...identity,
      ...inside,
    ],
    env: wrapperEnvironment,
    cwd: '/',
    uid: undefined,
    environmentScript: exportScript(env),
  };
}

function withoutNewPrivileges(): string[] {
  const setpriv = systemProgram('setpriv');
  return setpriv === undefined ? [] : [setpriv, '--no-new-privs', '--inh-caps=-all', '--'];
}

function asUid(uid: number): string[] {
  return [
    required('setpriv'),
    `--reuid=${uid}`,
    `--regid=${uid}`,
    '--clear-groups',
    '--no-new-privs',
    '--inh-caps=-all',
    '--',
  ];
}

function required(program: string): string {
  const path = systemProgram(program);
  if (path === undefined)
    throw new Failure(
      'isolation-unavailable',
      `This machine lacks ${program}, which keeps jobs apart. The operator has to install it.`,
    );
  return path;
}

function namespaces(uid: number | null): string[] {
  const own = ['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--die-with-parent', '--new-session'];
  return uid === null ? ['--unshare-user', ...own] : own;
}

const programDirectories = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
const settingsDirectories = ['/etc', '/opt', '/nix'];

/** What programs read of the machine: cores, memory nodes, limits, and network interfaces, by which gloo and NCCL meet. */
const systemFacts = [
  '/sys/devices/system/cpu',
  '/sys/devices/system/node',
  '/sys/devices/virtual/net',
  '/sys/class/net',
  '/sys/fs/cgroup',
];

/** Programs, libraries and the system's settings to read; nothing of the broker's, of other jobs' or of home directories. */
function mounts(room: Room): string[] {
  const resolver = resolverDirectories();
  const programs = programDirectories.filter((path) => existsSync(path));
  // What links lead to is shown where it lies.
  const covers = coversOf(room.hidden, [
    ...programs.filter((path) => !isLink(path)),
    ...settingsDirectories,
    ...resolver,
  ]);
  return [
    ...programs.flatMap((path) => isLink(path) ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path]),
    ...[...settingsDirectories, ...systemFacts].flatMap((path) => [...enterable(path), '--ro-bind-try', path, path]),
    ...resolver.flatMap((path) => ['--ro-bind', path, path]),
    ...covers.flatMap(cover),
    '--proc', '/proc',
    '--dev', '/dev',
    ...room.devices.flatMap((path) => ['--dev-bind-try', path, path]),
    '--perms', '1777', '--size', String(room.memoryBytes), '--tmpfs', '/dev/shm',
    '--bind', room.tmpDir, '/tmp',
    ...enterable('/var/tmp'),
    '--bind', room.tmpDir, '/var/tmp',
    ...room.toolDirs.filter((path) => existsSync(path)).flatMap((path) => [...enterable(path), '--ro-bind', realpathSync(path), path]),
    ...enterable(room.workDir),
    '--bind', room.workDir, room.workDir,
    // These lie in memory that nobody counts.
    ...['/', '/dev', ...covers.filter(({ isDirectory }) => isDirectory).map(({ path }) => path)].flatMap((path) => ['--remount-ro', path]),
  ]; // prettier-ignore
}

function cover({ path, isDirectory }: Cover): string[] {
  return isDirectory ? ['--perms', '0755', '--tmpfs', path] : ['--ro-bind', '/dev/null', path];
}

/** bubblewrap makes missing parents with mode 700 and of its own uid; the job's would not get through to an absolute path. */
function enterable(path: string): string[] {
  const names = dirname(path)
    .split('/')
    .filter((name) => name !== '');
  return names.flatMap((_, index) => ['--perms', '0755', '--dir', `/${names.slice(0, index + 1).join('/')}`]);
}

function isLink(path: string): boolean {
  return lstatSync(path).isSymbolicLink();
}

/** Where /etc/resolv.conf points out of /etc, as with systemd-resolved, names resolve only with its target. */
function resolverDirectories(): string[] {
  if (!existsSync('/etc/resolv.conf')) return [];
  const target = realpathSync('/etc/resolv.conf');
  return target.startsWith('/etc/') ? [] : [dirname(target)];
}

/** For a shell, to make these its environment. */
export function exportScript(env: Record<string, string>): string {
  return Object.entries(env)
    .filter(([name]) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`)
    .join('');
}
