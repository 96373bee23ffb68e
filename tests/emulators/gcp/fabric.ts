import { connect, createServer } from 'node:net';
import { join } from 'node:path';

/**
 * What stands at 169.254.169.254 in the network of the emulator's machines: a program in a network namespace of its own, that
 * hands each connection to the metadata server of the machine it comes from. Its argument is the directory where each has a
 * socket named after the machine's address. Says `ready`, and ends with its input.
 */
const [directory = ''] = process.argv.slice(2);
createServer((machine) => {
  const address = machine.remoteAddress?.replace(/^::ffff:/, '') ?? '';
  const server = connect(join(directory, address));
  for (const [one, other] of [[machine, server] as const, [server, machine] as const])
    one.on('error', () => other.destroy()).on('close', () => other.destroy());
  machine.pipe(server).pipe(machine);
}).listen(80, () => process.stdout.write('ready\n'));
process.stdin.on('end', () => process.exit()).resume();
