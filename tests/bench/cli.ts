import { spawn } from 'node:child_process';
import { createCommand, installCommand } from '../support/installed-command.ts';
import { createInstallation } from '../support/service.ts';
import { finish, median } from './summary.ts';

/**
 * How soon the packed command answers: `weir --help`, and `weir ps` of twenty jobs on loopback, beside an empty Node program on the same
 * Node. Taken in turn, so that what else the machine does falls on all alike.
 */
const rounds = 30;
const installed = await installCommand();
const installation = await createInstallation();
await installation.start();
const tenant = await installation.tenant('bench');
const weir = await createCommand(installed, { WEIR_URL: installation.url, WEIR_KEY: tenant.key });
const small = { cpus: 0.1, memoryGiB: 0.1, diskGiB: 0.1 };
for (let job = 0; job < 20; job += 1) await tenant.submit({ name: 'true', command: 'true', resources: small });
await weir.run(['logs', '-f', 'true']);

const [node, program] = installed.words;
const commands = {
  node: ['--eval', '0'],
  help: [program, '--help'],
  ps: [program, 'ps'],
} satisfies Record<string, string[]>;
type Name = keyof typeof commands;

async function measure(name: Name): Promise<number> {
  const started = performance.now();
  const child = spawn(node, commands[name], { env: weir.env, stdio: 'ignore' });
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`${name} ended with ${String(code)}`);
  return performance.now() - started;
}

const runs: Record<Name, number>[] = [];
for (let round = 0; round < rounds; round += 1)
  runs.push({ node: await measure('node'), help: await measure('help'), ps: await measure('ps') });
await weir.remove();
await installation.remove();
await installed.remove();

const of = (name: Name) => runs.map((run) => run[name]);
finish({
  runs,
  summary: {
    nodeMs: median(of('node')),
    helpMs: median(of('help')),
    psMs: median(of('ps')),
    bestNodeMs: Math.min(...of('node')),
    bestHelpMs: Math.min(...of('help')),
    bestPsMs: Math.min(...of('ps')),
    helpRatio: median(runs.map((run) => run.help / run.node)),
    psRatio: median(runs.map((run) => run.ps / run.node)),
  },
});
