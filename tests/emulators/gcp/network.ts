import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * The network of an emulator's machines: each has a network namespace of its own, and reaches its metadata server at
 * 169.254.169.254, the other machines, and this host at `hostAddress`; nothing else.
 */
export type Network = {
  hostAddress: string;
  /** Room for one more machine. `directory`: its own. @throws Error after 250 machines. */
  join: (directory: string) => Port;
  close: () => Promise<void>;
};

export type Port = {
  address: string;
  /** Where the machine's metadata server has to listen. */
  metadataSocket: string;
  /** Starts a program inside, from the namespaces of this host. */
  command: (program: string) => string[];
};

export const metadataAddress = '169.254.169.254';
/** Of the block for benchmarks of networks (RFC 2544), which nobody routes: one /24 for each emulator of this host. */
const subnet = (index: number) => `198.18.${index}`;
const subnets = 256;
const machinesPerSubnet = 250;

/**
 * Gives the emulator's machines a network.
 * @returns undefined and why, where the kernel or the rights of this process do not allow it.
 */
export async function openNetwork(directory: string): Promise<{ network?: Network; obstacle?: string }> {
  const obstacle = obstacleToNetworks();
  return obstacle === undefined ? { network: await startNetwork(directory) } : { obstacle };
}

/** Why machines can't have network namespaces of their own here; undefined where they can. */
export function obstacleToNetworks(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are Linux’s';
  if (process.getuid?.() !== 0) return 'only root may make network namespaces and join them to the host';
  try {
    // All that startNetwork does, in a namespace that is gone at once.
    const trial =
      'ip link add one type veth peer name two && ip link add net type bridge && ip link set two master net';
    execFileSync('unshare', ['--net', '--mount', 'sh', '-c', trial], { stdio: ['ignore', 'ignore', 'pipe'] });
    return undefined;
  } catch (error) {
    const said = (error as { stderr?: Buffer }).stderr?.toString().trim();
    return `network namespaces can’t be made: ${said === undefined || said === '' ? String(error) : said}`;
  }
}

async function startNetwork(directory: string): Promise<Network> {
  const sockets = join(directory, 'metadata');
  mkdirSync(sockets, { mode: 0o700 });
  const fabric = spawn('unshare', ['--net', process.execPath, join(import.meta.dirname, 'fabric.ts'), sockets], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(fabric.stdout, 'data');
  const pid = fabric.pid ?? 0;
  const { index, link } = await joinHost(pid);
  const [hostAddress, fabricAddress] = [`${subnet(index)}.1`, `${subnet(index)}.2`];
  await ip([`address add ${hostAddress}/24 dev ${link}`, `link set ${link} up`]);
  await ip(
    [
      'link set lo up',
      'link add net type bridge',
      `address add ${fabricAddress}/24 dev net`,
      `address add ${metadataAddress}/32 dev net`,
      'link set uplink master net',
      'link set uplink up',
      'link set net up',
    ],
    pid,
  );
  let machines = 0;
  return {
    hostAddress,
    join: (machineDirectory) => {
      if (machines >= machinesPerSubnet) throw new Error(`No more than ${machinesPerSubnet} machines have a network.`);
      const number = machines++;
      const address = `${subnet(index)}.${number + 3}`;
      return {
        address,
        metadataSocket: join(sockets, address),
        command: (program) => [
          'unshare',
          '--net',
          '--mount',
          '--',
          writeJoin(machineDirectory, { address, hostAddress, number, pid }),
          program,
        ],
      };
    },
    // Its namespace goes with it, and with that the interface of this host.
    close: async () => {
      fabric.kill('SIGKILL');
      await once(fabric, 'exit');
    },
  };
}

/** A pair of interfaces between this host and the machines' network. Its name keeps the subnet for us. */
async function joinHost(fabricPid: number): Promise<{ index: number; link: string }> {
  for (let index = 0; index < subnets; index++) {
    const link = `weir-gcp${index}`;
    try {
      await ip([`link add ${link} type veth peer name uplink netns ${fabricPid}`]);
      return { index, link };
    } catch (error) {
      if (!String(error).includes('File exists')) throw error;
    }
  }
  throw new Error(`${subnets} emulators have a network here already.`);
}

/** What a machine does first: as DHCP would configure it, with the names that Google's resolver would answer. */
function writeJoin(
  directory: string,
  { address, hostAddress, number, pid }: { address: string; hostAddress: string; number: number; pid: number },
): string {
  const [path, hosts] = [join(directory, 'join-network'), join(directory, 'hosts')];
  writeFileSync(hosts, `127.0.0.1 localhost\n${metadataAddress} metadata.google.internal metadata\n`);
  writeFileSync(
    path,
    `#!/bin/sh
set -e
ip link set lo up
ip link add eth0 type veth peer name m${number} netns ${pid}
nsenter --target ${pid} --net ip link set m${number} master net up
ip address add ${address}/24 dev eth0
ip link set eth0 up
ip route add ${metadataAddress} dev eth0
ip route add default via ${hostAddress}
mount --bind '${hosts}' /etc/hosts
exec "$@"
`,
    { mode: 0o700 },
  );
  return path;
}

/** All at once, in this host's network namespace or in that of a process. */
async function ip(commands: string[], pid?: number): Promise<void> {
  const args = ['-batch', '-'];
  const running =
    pid === undefined
      ? promisify(execFile)('ip', args)
      : promisify(execFile)('nsenter', ['--target', String(pid), '--net', 'ip', ...args]);
  running.child.stdin?.end(commands.map((command) => `${command}\n`).join(''));
  await running;
}
